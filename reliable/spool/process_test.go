package spool

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/internal/mortal"
)

// One process appends and one drains; both are killed at random moments, again
// and again. The receiver has everything that was acknowledged at least once, and
// nothing before what was appended earlier.
func TestKilledProcessesLoseNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "received")
	safe := map[string]int{} // how many of each producer are on disk for sure
	for round := range 25 {
		name := fmt.Sprint("producer", round)
		producer, drainer := b.command("append", name, ""), b.command("drain", "", file)
		lines := b.start(producer)
		b.must(mortal.Start(drainer))
		time.AfterFunc(time.Duration(rand.IntN(60)+20)*time.Millisecond, func() { _ = drainer.Process.Kill() })
		kill := time.AfterFunc(time.Duration(rand.IntN(100)+50)*time.Millisecond, func() { _ = producer.Process.Kill() })
		for lines.Scan() {
			_, n, _ := strings.Cut(lines.Text(), " ")
			last, err := strconv.Atoi(n)
			b.must(err)
			safe[name] = last + 1
		}
		kill.Stop()
		_, _ = producer.Wait(), drainer.Wait()
	}
	if _, err := b.open(Config{}).Drain(t.Context(), receiver(file)); err != nil {
		t.Fatal(err)
	}
	got := b.received(file)
	for name, want := range safe {
		most := -1
		for _, n := range got[name] {
			if n > most+1 {
				t.Fatalf("%s: %d came before %d", name, n, most+1)
			}
			most = max(most, n)
		}
		if most+1 < want {
			t.Errorf("%s: %d arrived, %d were acknowledged", name, most+1, want)
		}
	}
	if len(safe) < 20 {
		t.Errorf("only %d producers appended anything", len(safe))
	}
}

// start starts a process and reads what it prints.
func (b *bench) start(cmd *exec.Cmd) *bufio.Scanner {
	b.Helper()
	out, err := cmd.StdoutPipe()
	b.must(err)
	b.must(mortal.Start(cmd))
	return bufio.NewScanner(out)
}

func TestProcessesThatAppendAndDrainAtOncePushEachRecordOnceAndInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "received")
	var processes []*exec.Cmd
	for n := range 3 {
		cmd := b.command("both", fmt.Sprint("producer", n), file)
		b.must(mortal.Start(cmd))
		processes = append(processes, cmd)
	}
	for _, cmd := range processes {
		b.must(cmd.Wait())
	}
	if _, err := b.open(Config{}).Drain(t.Context(), receiver(file)); err != nil {
		t.Fatal(err)
	}
	got := b.received(file)
	for n := range processes {
		name := fmt.Sprint("producer", n)
		if len(got[name]) != 200 {
			t.Errorf("%s: %d arrived", name, len(got[name]))
		}
		for i, number := range got[name] {
			if i != number {
				t.Fatalf("%s: %d arrived in the place of %d", name, number, i)
			}
		}
	}
}

func TestAppendThatFailsLeavesTheLogAsItWas(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if out, err := b.command("small disk", "", "").Output(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
