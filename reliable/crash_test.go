package reliable

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
)

// A worker process takes five messages, acknowledges one, and is killed.
func TestKilledWorkerLosesNothing(t *testing.T) {
	t.Parallel()
	if addr := os.Getenv("RELIABLE_TEST_WORKER"); addr != "" {
		workAndHang(t, addr)
	}
	server := redistest.Server(t)
	b := &bench{T: t, rdb: server.Client(), name: "mail"}
	q := b.worker("heir")
	for _, named := range []bool{true, false} {
		round := fmt.Sprint(named)
		b.push(q, round+"-1", round+"-2", round+"-3", round+"-4", round+"-5", round+"-6")
		worker := killWorker(t, server.Addr)
		home := 0
		if named {
			n, err := q.Reap(t.Context(), worker)
			b.must(err)
			home = n
		} else {
			b.until("its lease lapses", func() bool {
				n, err := q.Reap(t.Context())
				b.must(err)
				home = n
				return n > 0
			})
		}
		if home != 4 {
			t.Errorf("%d messages went home, want 4", home)
		}
		got := b.take(q, 5)
		b.want("after the crash", got, round+"-1", round+"-2", round+"-4", round+"-5", round+"-6")
		for i, m := range got {
			if want := map[bool]int{true: 1, false: 0}[i < 4]; m.Attempt != want {
				t.Errorf("%s has attempt %d, want %d", m.ID, m.Attempt, want)
			}
		}
		b.wantEmpty(q)
	}
}

// workAndHang is the worker process: it says what it has, and never ends.
func workAndHang(t *testing.T, addr string) {
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	b := &bench{T: t, rdb: rdb, name: "mail"}
	q := b.open(rdb, Config{Name: "mail", Lease: 300 * time.Millisecond})
	got := b.take(q, 5)
	b.must(q.Ack(t.Context(), got[2].ID))
	fmt.Printf("\nworker %s\n", q.Worker())
	select {}
}

// killWorker runs a worker until it has its messages, and kills it.
func killWorker(t *testing.T, addr string) (worker string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledWorkerLosesNothing$")
	child.Env = append(os.Environ(), "RELIABLE_TEST_WORKER="+addr)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mortal.Start(child); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(out); worker == "" && lines.Scan(); said = append(said, lines.Text()) {
		worker, _ = strings.CutPrefix(lines.Text(), "worker ")
		if worker == lines.Text() {
			worker = ""
		}
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if worker == "" {
		t.Fatalf("the worker said:\n%s", strings.Join(said, "\n"))
	}
	return worker
}
