package redisconn

import (
	"errors"
	"strings"
	"testing"
)

func TestAddressesAreRead(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct {
		addrs   string
		db      int
		user    string
		pass    string
		tls     bool
		cluster bool
		master  string
	}{
		"redis://127.0.0.1:6380":              {addrs: "127.0.0.1:6380"},
		"redis://host":                        {addrs: "host:6379"},
		"redis://host/3":                      {addrs: "host:6379", db: 3},
		"redis://ann:pa%2Fss@host:1/2":        {addrs: "host:1", db: 2, user: "ann", pass: "pa/ss"},
		"rediss://:secret@host":               {addrs: "host:6379", pass: "secret", tls: true},
		"redis-cluster://a:1,b:2,c":           {addrs: "a:1,b:2,c:6379", cluster: true},
		"redis-sentinel://a,b:26380/mymaster": {addrs: "a:26379,b:26380", master: "mymaster"},
		"redis-sentinel://a/mymaster/4":       {addrs: "a:26379", master: "mymaster", db: 4},
		"rediss-cluster://a":                  {addrs: "a:6379", cluster: true, tls: true},
		"unix:///run/redis.sock":              {addrs: "/run/redis.sock"},
		"unix:///home of/ann@x:y/redis.sock":  {addrs: "/home of/ann@x:y/redis.sock"},
		"unix:///a%3Fb%25/redis.sock?db=2":    {addrs: "/a?b%/redis.sock", db: 2},
		"unix://ann:pw@/run/redis.sock":       {addrs: "/run/redis.sock", user: "ann", pass: "pw"},
		"redis://[::1]:6379":                  {addrs: "[::1]:6379"},
	} {
		o, secure, err := parse(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if strings.Join(o.Addrs, ",") != want.addrs || o.DB != want.db || o.Username != want.user || o.Password != want.pass ||
			(secure != nil) != want.tls || o.IsClusterMode != want.cluster || o.MasterName != want.master {
			t.Errorf("%s is read as %+v", address, o)
		}
	}
}

func TestUnusableAddressesAreRefusedWithoutTheirPassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "host:6379", "http://host", "redis://", "redis://host:0", "redis://host:99999", "redis://a,b", "redis://host/x",
		"redis-sentinel://a", "redis-cluster://a/1", "unix://relative", "redis://:s3cret@", "redis://:s3cret@ho st",
	} {
		err := Check(address)
		if !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", address, err)
		}
		if _, err := Open(address, Options{}); !errors.Is(err, ErrURL) {
			t.Errorf("open %q: %v", address, err)
		}
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"redis://ann:s3cret@host:1/2": "redis://ann:***@host:1/2", "redis://host": "redis://host",
		"redis://ann@host": "redis://ann@host", "rediss://:s3/cr@et@host/0": "rediss://:***@host/0", "nonsense": "(unreadable address)",
		"redis://host/1?x=y": "redis://host/1?x=y", "unix:///a:b@c/redis.sock": "unix:///a:b@c/redis.sock",
		"unix://ann:pw@/run/redis.sock": "unix://ann:***@/run/redis.sock",
	} {
		if got := Redacted(address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}

func TestBackoffGrowsToFiveSeconds(t *testing.T) {
	t.Parallel()
	for n := 1; n < 40; n++ {
		if d := Backoff(n); d <= 0 || d > lastWait {
			t.Errorf("try %d waits %s", n, d)
		}
	}
	if d := Backoff(1); d > firstWait {
		t.Errorf("the first waits %s", d)
	}
}

func TestVersionsAreComparedByNumber(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]bool{"6.0.16": true, "5": true, "6.2": false, "6.2.0": false, "7.0.15": false, "10.1": false, "x": true} {
		if older(v, Oldest) != want {
			t.Errorf("%s is older than %s: %v", v, Oldest, !want)
		}
	}
}
