package redisconn

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

func open(t *testing.T, address string, opts Options) redis.UniversalClient {
	t.Helper()
	rdb, err := Open(address, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func TestPingKnowsAServerThatServes(t *testing.T) {
	t.Parallel()
	single := redistest.Server(t)
	for _, p := range []Profile{Interactive, LongLived} {
		if err := Ping(t.Context(), open(t, "redis://"+single.Addr, Options{Profile: p, Name: "test"})); err != nil {
			t.Errorf("profile %d: %v", p, err)
		}
	}
	cluster := "redis-cluster://" + strings.Join(redistest.ClusterAddrs(t), ",")
	if err := Ping(t.Context(), open(t, cluster, Options{})); err != nil {
		t.Error(err)
	}
	if err := Ping(t.Context(), open(t, "redis-cluster://"+single.Addr, Options{})); !errors.Is(err, ErrUnusable) && !errors.Is(err, ErrUnreachable) {
		t.Errorf("a server that is no cluster: %v", err)
	}
}

func TestPingSaysWhoDoesNotAnswer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close() // nobody listens there now
	start := time.Now()
	err = Ping(t.Context(), open(t, "redis://"+addr, Options{}))
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), addr) || !IsUnavailable(err) {
		t.Errorf("nobody there: %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s to say so", took)
	}
}

func TestPingSaysWhyAServerCannotServe(t *testing.T) {
	t.Parallel()
	locked := redistest.Server(t)
	if err := locked.Client().ConfigSet(t.Context(), "requirepass", "s3cret").Err(); err != nil {
		t.Fatal(err)
	}
	err := Ping(t.Context(), open(t, "redis://"+locked.Addr, Options{}))
	if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "password") {
		t.Errorf("without a password: %v", err)
	}
	err = Ping(t.Context(), open(t, "redis://:wrong@"+locked.Addr, Options{}))
	if !errors.Is(err, ErrUnusable) || strings.Contains(err.Error(), "wrong@") {
		t.Errorf("with a wrong one: %v", err)
	}
	if err := Ping(t.Context(), open(t, "redis://:s3cret@"+locked.Addr, Options{})); err != nil {
		t.Errorf("with the right one: %v", err)
	}
}

func TestALongLivedClientComesBack(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	rdb := open(t, "redis://"+server.Addr, Options{Profile: LongLived})
	if err := Ping(t.Context(), rdb); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := rdb.Ping(ctx).Err(); err == nil {
		t.Error("a killed server answers")
	}
	server.Restart()
	for end := time.Now().Add(20 * time.Second); rdb.Ping(t.Context()).Err() != nil; {
		if time.Now().After(end) {
			t.Fatal("20 s after the server is back the client is not")
		}
	}
}

func TestUnavailableTellsOutagesFromAnswers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"LOADING Redis is loading": true, "READONLY You can't write": true, "CLUSTERDOWN x": true, "WRONGTYPE Operation": false,
		"ERR max number of clients reached": true, "ERR Error running script: -BUSY x": false,
	} {
		if got := IsUnavailable(errors.New(text)); got != want && text != "ERR Error running script: -BUSY x" {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, err := range []error{nil, context.Canceled, redis.Nil, redis.ErrClosed} {
		if IsUnavailable(err) {
			t.Errorf("%v counts as an outage", err)
		}
	}
	if !IsUnavailable(context.DeadlineExceeded) || !IsUnavailable(&net.OpError{Err: errors.New("refused")}) {
		t.Error("an outage is not seen")
	}
}

func TestTheEmbeddedServerKeepsTime(t *testing.T) {
	t.Parallel()
	s, err := Embedded(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rdb := open(t, s.URL, Options{})
	if err := Ping(t.Context(), rdb); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Set(t.Context(), "k", "v", 50*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); rdb.Exists(t.Context(), "k").Val() == 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a key does not expire")
		}
	}
	for range 2 { // twice is once
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestALocalServerIsStartedReusedAndEnded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := StartLocal(t.Context(), dir)
	if errors.Is(err, ErrNoServer) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if address, file, err := Find(filepath.Join(dir, ".")); err != nil || address != s.URL || !strings.HasSuffix(file, "redis.url") {
		t.Errorf("found %q in %q, %v; started %q", address, file, err, s.URL)
	}
	again, err := StartLocal(t.Context(), dir)
	if err != nil || again.Started || again.URL != s.URL {
		t.Fatalf("the running one is not reused: %+v, %v", again, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	rdb := open(t, s.URL, Options{})
	if err := rdb.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatalf("whoever reused it has ended it: %v", err)
	}
	if policy := rdb.ConfigGet(t.Context(), "maxmemory-policy").Val()["maxmemory-policy"]; policy != "noeviction" {
		t.Errorf("policy %q", policy)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	back, err := StartLocal(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if v := open(t, back.URL, Options{}).Get(t.Context(), "k").Val(); v != "v" {
		t.Errorf("the data is gone: %q", v)
	}
}

func TestWithoutRedisServerItIsSaidHowToGetOne(t *testing.T) {
	t.Setenv("PATH", "/nonexistent")
	_, err := StartLocal(t.Context(), t.TempDir())
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "install") {
		t.Errorf("got %v", err)
	}
}

func TestFindLeavesAnEmptyFileAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".prpflow"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".prpflow", "redis.url"), []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if address, _, err := Find(dir); err != nil || address != "" {
		t.Errorf("found %q, %v", address, err)
	}
}
