package redisconn

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
)

// earlier starts a server as earlier versions did: at a port.
func earlier(t *testing.T, dir string) (address string, server *exec.Cmd) {
	t.Helper()
	folder, err := dataFolder(dir)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	must(t, l.Close())
	server = exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--save", "")
	redistest.Command(t, "redis", "redis-server")
	must(t, mortal.Start(server))
	t.Cleanup(func() { _, _ = server.Process.Kill(), server.Wait() })
	address = "redis://127.0.0.1:" + port
	must(t, writeURL(folder, address))
	until(t, "it serves", func() bool { return open(t, address, Options{}).Ping(t.Context()).Err() == nil })
	return address, server
}

func TestAServerOfAnEarlierVersionIsReusedWhileItRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	address, server := earlier(t, dir)
	must(t, open(t, address, Options{}).Set(t.Context(), "k", "v", 0).Err())
	user := open(t, address, Options{Name: "prpflow"}) // an earlier version still works there
	must(t, user.Ping(t.Context()).Err())
	s := use(t, dir, &logbook{})
	if s.URL != address {
		t.Fatalf("%s runs, and %s is used", address, s.URL)
	}
	must(t, s.Close())
	if !runs(server.Process.Pid) {
		t.Fatal("it was ended under the hands of its user")
	}
	must(t, user.Close())
	until(t, "its user is gone", func() bool {
		n, err := endpoint{"tcp", strings.TrimPrefix(address, "redis://")}.others(t.Context())
		return err == nil && n == 0
	})
	must(t, use(t, dir, &logbook{}).Close())
	_ = server.Wait()
	next := use(t, dir, &logbook{})
	if v := open(t, next.URL, Options{}).Get(t.Context(), "k").Val(); v != "v" || !strings.HasPrefix(next.URL, "unix://") {
		t.Errorf("after its end the value at %s is %q", next.URL, v)
	}
}

func TestTheAddressOfACopiedFolderIsNotItsOwn(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), t.TempDir()
	s := use(t, dir, &logbook{})
	folder, err := dataFolder(copied)
	must(t, err)
	must(t, writeURL(folder, s.URL))
	if other := use(t, copied, &logbook{}); other.URL == s.URL || pidOf(t, other.URL) == pidOf(t, s.URL) {
		t.Errorf("both folders use %s", s.URL)
	}
}
