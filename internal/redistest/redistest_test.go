package redistest_test

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

func TestEachBackendKeepsAKey(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		key := redistest.Name("key")
		if err := rdb.Set(t.Context(), key, "v", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if got := rdb.Get(t.Context(), key).Val(); got != "v" {
			t.Errorf("got %q", got)
		}
		if f := redistest.FeaturesOf(rdb); !strings.HasSuffix(t.Name(), "/"+f.Name) {
			t.Errorf("features of %s in %s", f.Name, t.Name())
		}
	})
}

func TestEachBackendLetsAKeyExpire(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		key := redistest.Name("key")
		if err := rdb.Set(t.Context(), key, "v", 30*time.Millisecond).Err(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); rdb.Exists(t.Context(), key).Val() == 1; {
			if time.Now().After(end) {
				t.Fatal("the key never expired")
			}
		}
	})
}

func TestWhatWasAnsweredSurvivesKill(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	rdb := server.Client()
	if err := rdb.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){server.Kill, server.Stop, func() {}} {
		end()
		server.Restart()
		if got := rdb.Get(t.Context(), "k").Val(); got != "v" {
			t.Errorf("got %q", got)
		}
	}
	server.Stop()
	server.Stop()
}

// A child of ours starts a server and kills itself: no test binary that dies
// leaves a server behind.
func TestKilledBinaryLeavesNoServer(t *testing.T) {
	t.Parallel()
	if os.Getenv("REDISTEST_CHILD") != "" {
		server := redistest.Server(t)
		_, _ = os.Stdout.WriteString("addr " + server.Addr + "\n")
		select {}
	}
	child := exec.Command(os.Args[0], "-test.run=^TestKilledBinaryLeavesNoServer$", "-test.v")
	child.Env = append(os.Environ(), "REDISTEST_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mortal.Start(child); err != nil {
		t.Fatal(err)
	}
	var addr string
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		_, addr, _ = strings.Cut(lines.Text(), "addr ")
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if addr == "" {
		t.Skip("the child had no redis-server")
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialerRetries: 1})
	defer rdb.Close()
	for end := time.Now().Add(20 * time.Second); rdb.Ping(t.Context()).Err() == nil; {
		if time.Now().After(end) {
			t.Fatal("the server outlived the test binary")
		}
	}
}

func TestMissingServerFailsWhereItIsRequired(t *testing.T) {
	for _, c := range []struct{ require, want string }{
		{"redis,cluster", "--- FAIL"}, {"", "--- SKIP"},
	} {
		child := exec.Command(os.Args[0], "-test.run=^TestEachBackendKeepsAKey$/^redis$", "-test.v")
		child.Env = append(os.Environ(), "PATH=/nowhere", "PRPFLOW_TEST_REQUIRE="+c.require)
		out, _ := child.CombinedOutput()
		if !strings.Contains(string(out), c.want) {
			t.Errorf("required %q: no %q in\n%s", c.require, c.want, out)
		}
	}
}
