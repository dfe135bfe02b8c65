package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/internal/redisconn"
	"github.com/spf13/pflag"

	"github.com/prpflow/prpflow/internal/access"
)

// write makes a file in a new folder and gives the folder.
func write(t *testing.T, name, text string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, name, text)
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, opts Options) Config {
	t.Helper()
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	c, err := Load(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	f := pflag.NewFlagSet("verb", pflag.ContinueOnError)
	f.String("redis", "", "")
	f.String("listen", "", "")
	f.Bool("insecure", false, "")
	f.Duration("drain", 0, "")
	f.String("config", "", "") // a flag of the verb, no key
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDefaultsNeedNothing(t *testing.T) {
	t.Parallel()
	c := load(t, Options{Env: []string{"HOME=/home/ann"}})
	if c.Redis != "redis://127.0.0.1:6379" || c.Listen != "127.0.0.1:8080" || c.Drain != 30*time.Second || c.Insecure || c.Embedded || len(c.Tokens) != 0 {
		t.Errorf("defaults: %+v", c)
	}
	if c.StateDir != "/home/ann/.local/state/prpflow" || c.SpoolDir != "/home/ann/.local/state/prpflow/spool" {
		t.Errorf("folders: %s and %s", c.StateDir, c.SpoolDir)
	}
	if c.RedisChosen() {
		t.Error("nobody has named a Redis")
	}
}

func TestFlagsComeBeforeEnvironmentBeforeFile(t *testing.T) {
	t.Parallel()
	dir := write(t, "prpflow.yaml", "redis: redis://file:1\ndrain: 5s\nlisten: 127.0.0.1:1\nstate:\n  dir: /file\n")
	env := []string{"PRPFLOW_REDIS=redis://env:2", "PRPFLOW_DRAIN=6s", "PRPFLOW_UNKNOWN=x", "OTHER=y"}
	c := load(t, Options{Dir: dir, Env: env, Flags: flags(t, "--redis", "redis://flag:3", "--config", "agents.yaml")})
	if c.Redis != "redis://flag:3" || c.Drain != 6*time.Second || c.Listen != "127.0.0.1:1" || c.StateDir != "/file" || !c.RedisChosen() {
		t.Errorf("got %+v", c)
	}
	for key, want := range map[string]string{KeyRedis: "flag --redis", KeyDrain: "environment PRPFLOW_DRAIN", KeyListen: "prpflow.yaml", KeyInsecure: "default"} {
		if !strings.Contains(c.Sources[key], want) {
			t.Errorf("%s comes from %q, want %q", key, c.Sources[key], want)
		}
	}
}

func TestTheFileMayBeNamedElsewhere(t *testing.T) {
	t.Parallel()
	dir := write(t, "other.yaml", "drain: 7s\ninsecure: true\nembedded: true\nasynqmon: {write: true}\nspool: {dir: /spool}\n")
	c := load(t, Options{Env: []string{"PRPFLOW_CONFIG_FILE=" + filepath.Join(dir, "other.yaml")}})
	if c.Drain != 7*time.Second || !c.Insecure || !c.Embedded || !c.AsynqmonWrite || c.SpoolDir != "/spool" {
		t.Errorf("got %+v", c)
	}
}

func TestALocalServerIsFoundInAParent(t *testing.T) {
	t.Parallel()
	dir := write(t, ".prpflow/redis.url", "redis://127.0.0.1:4711\n")
	below := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	c := load(t, Options{Dir: below})
	if c.Redis != "redis://127.0.0.1:4711" || c.RedisFile == "" || c.RedisChosen() {
		t.Errorf("got %+v", c)
	}
	c = load(t, Options{Dir: below, Env: []string{"PRPFLOW_REDIS=redis://other:1"}})
	if c.Redis != "redis://other:1" || c.RedisFile != "" || !c.RedisChosen() {
		t.Errorf("with another one named: %+v", c)
	}
}

func TestAnAddressThatOthersMayWriteCountsOnlyWhereItIsNeeded(t *testing.T) {
	t.Parallel()
	dir := write(t, ".prpflow/redis.url", "redis://127.0.0.1:4711\n")
	if err := os.Chmod(filepath.Join(dir, ".prpflow"), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Options{Dir: dir}); !errors.Is(err, redisconn.ErrUntrusted) {
		t.Errorf("it is followed: %v", err)
	}
	if c := load(t, Options{Dir: dir, Env: []string{"PRPFLOW_REDIS=redis://other:1"}}); c.Redis != "redis://other:1" {
		t.Errorf("with another one named: %+v", c)
	}
	if c := load(t, Options{Dir: dir, OwnRedis: true}); c.RedisChosen() || c.RedisFile != "" {
		t.Errorf("for a verb that brings its own: %+v", c)
	}
}

func TestALocalServerIsNotLookedForAboveTheHomeFolder(t *testing.T) {
	t.Parallel()
	dir := write(t, ".prpflow/redis.url", "redis://127.0.0.1:4711\n")
	home := filepath.Join(dir, "ann")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	if c := load(t, Options{Dir: home, Env: []string{"HOME=" + home}}); c.RedisFile != "" {
		t.Errorf("found %s", c.RedisFile)
	}
}

func TestWhatIsWrongIsSaidInASentence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		env  string
		args []string
		want []string
	}{
		"unknown key":      {file: "redsi: x\n", want: []string{"prpflow.yaml", "unknown key redsi", "redis"}},
		"unknown keys":     {file: "a: 1\nb: {c: 2}\n", want: []string{"unknown keys a, b.c"}},
		"no YAML":          {file: "a: [", want: []string{"prpflow.yaml"}},
		"missing file":     {env: "PRPFLOW_CONFIG_FILE=/nowhere.yaml", want: []string{"/nowhere.yaml", "no such file"}},
		"duration":         {env: "PRPFLOW_DRAIN=soon", want: []string{"drain", "PRPFLOW_DRAIN", "soon"}},
		"negative":         {file: "drain: -1s\n", want: []string{"drain"}},
		"truth":            {env: "PRPFLOW_INSECURE=perhaps", want: []string{"insecure", "perhaps"}},
		"redis":            {env: "PRPFLOW_REDIS=http://:secret@x", want: []string{"redis", "redis://"}},
		"listen":           {args: []string{"--listen", "8080"}, want: []string{"listen", "8080"}},
		"port":             {args: []string{"--listen", "127.0.0.1:99999"}, want: []string{"port"}},
		"empty flag":       {args: []string{"--redis", ""}, want: []string{"--redis", "without a value"}},
		"list":             {file: "redis: [a, b]\n", want: []string{"redis", "not a list"}},
		"group":            {file: "listen: {a: b}\n", want: []string{"listen"}},
		"token form":       {env: "PRPFLOW_API_TOKENS=operator:secret", want: []string{"token 1", "role:name:token"}},
		"token role":       {env: "PRPFLOW_API_TOKENS=OP:ann:secret", want: []string{"token 1", "role"}},
		"token name":       {env: "PRPFLOW_API_TOKENS=author:a b:secret", want: []string{"token 1", "name"}},
		"token characters": {env: "PRPFLOW_API_TOKENS=author:ann:se cret", want: []string{"token 1"}},
		"token twice":      {env: "PRPFLOW_API_TOKENS=author:ann:secret,author:bob:secret", want: []string{"1 and 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.file != "" {
				put(t, dir, "prpflow.yaml", c.file)
			}
			_, err := Load(Options{Dir: dir, Env: []string{c.env}, Flags: flags(t, c.args...)})
			if err == nil {
				t.Fatal("accepted")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("says %q, want %q in it", err, w)
				}
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("says a secret, or more than a sentence: %q", err)
			}
		})
	}
}

func TestTokensAreReadAndNeverShown(t *testing.T) {
	t.Parallel()
	dir := write(t, "prpflow.yaml", "api:\n  tokens:\n    - operator:op:s3cret:with:colons\n    - author:ann:t0ken\n")
	c := load(t, Options{Dir: dir})
	if len(c.Tokens) != 2 || c.Tokens[0] != access.NewToken("operator", "op", "s3cret:with:colons") || c.Tokens[1].Name != "ann" {
		t.Fatalf("%d tokens", len(c.Tokens))
	}
	shown := fmt.Sprintf("%v %+v %#v %v", c.Tokens, c.Tokens, c.Tokens, c.Values())
	if strings.Contains(shown, "s3cret") || strings.Contains(shown, "t0ken") {
		t.Errorf("a secret is shown: %s", shown)
	}
}

func TestValuesMaskPasswords(t *testing.T) {
	t.Parallel()
	c := load(t, Options{Env: []string{"PRPFLOW_REDIS=redis://ann:pa55@host:1"}})
	for _, v := range c.Values() {
		if strings.Contains(v.Value, "pa55") {
			t.Errorf("%s is shown as %s", v.Key, v.Value)
		}
		if v.Source == "" {
			t.Errorf("%s comes from nowhere", v.Key)
		}
	}
}

func TestTheStateFolderFollowsXDG(t *testing.T) {
	t.Parallel()
	if c := load(t, Options{Env: []string{"XDG_STATE_HOME=/state", "HOME=/h"}}); c.StateDir != "/state/prpflow" {
		t.Errorf("got %s", c.StateDir)
	}
	if c := load(t, Options{Env: []string{"XDG_STATE_HOME=relative", "HOME=/h"}}); c.StateDir != "/h/.local/state/prpflow" {
		t.Errorf("a relative one counts: %s", c.StateDir)
	}
}

func TestOnlyLoopbackIsOpenWithoutTokens(t *testing.T) {
	t.Parallel()
	for listen, local := range map[string]bool{
		"127.0.0.1:80": true, "localhost:80": true, "LOCALHOST.:80": true, "[::1]:80": true, "127.8.9.1:0": true,
		":80": false, "0.0.0.0:80": false, "[::]:80": false, "192.168.1.1:80": false, "example.com:80": false,
	} {
		if got := Loopback(listen); got != local {
			t.Errorf("%s is local: %v", listen, got)
		}
		if err := CheckListen(listen, nil, false); local != (err == nil) || err != nil && !errors.Is(err, ErrOpen) {
			t.Errorf("%s without tokens: %v", listen, err)
		}
		if err := CheckListen(listen, []access.Token{{}}, false); err != nil {
			t.Errorf("%s with tokens: %v", listen, err)
		}
		if err := CheckListen(listen, nil, true); err != nil {
			t.Errorf("%s, insecure: %v", listen, err)
		}
	}
	if err := CheckListen("nonsense", nil, true); err == nil {
		t.Error("nonsense is accepted")
	}
}

func TestSettingsOfTLSArePutIntoTheAddress(t *testing.T) {
	t.Parallel()
	dir := write(t, "prpflow.yaml", "redis: rediss://h\nredis.tls: {ca: /ca.pem, server_name: n}\n")
	c := load(t, Options{Dir: dir, Env: []string{"PRPFLOW_REDIS_TLS_CERT=/c.pem", "PRPFLOW_REDIS_TLS_KEY=/c.key"}})
	if want := "rediss://h?tls_ca=%2Fca.pem&tls_cert=%2Fc.pem&tls_key=%2Fc.key&tls_server_name=n"; c.Redis != want {
		t.Errorf("got %s, want %s", c.Redis, want)
	}
	if _, err := Load(Options{Env: []string{"PRPFLOW_REDIS=redis://h", "PRPFLOW_REDIS_TLS_CA=/ca.pem"}}); err == nil || !strings.Contains(err.Error(), "rediss://") {
		t.Errorf("a plain address: %v", err)
	}
}
