package redisconn

import (
	"context"
	"errors"
	"log/slog"
	"net"
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
	_, secret, _ := strings.Cut(s.URL, "redis://:")
	secret, addr, _ := strings.Cut(secret, "@")
	if shown := Redacted(s.URL); len(secret) < 20 || strings.Contains(shown, secret) {
		t.Errorf("its address is %s, and is shown as %s", s.URL, shown)
	}
	if err := Ping(t.Context(), open(t, "redis://"+addr, Options{})); !errors.Is(err, ErrUnusable) {
		t.Errorf("without its password it answers: %v", err)
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

func TestWithoutRedisServerItIsSaidHowToGetOne(t *testing.T) {
	t.Setenv("PATH", "/nonexistent")
	_, err := StartLocal(t.Context(), t.TempDir(), slog.New(slog.DiscardHandler))
	if !errors.Is(err, ErrNoServer) || !strings.Contains(err.Error(), "install") {
		t.Errorf("got %v", err)
	}
}
