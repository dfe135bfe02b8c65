package simtest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var seedFlag = flag.Uint64("seed", 0, "live through one seed and print its transcript")

// schedules is how many seeds are tried: a million in `make torture`.
func schedules(t *testing.T) uint64 {
	text := os.Getenv("PRPFLOW_SIM_SCHEDULES")
	switch {
	case text != "":
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("PRPFLOW_SIM_SCHEDULES: %v", err)
		}
		return n
	case testing.Short():
		return 500
	}
	return 3000
}

// hunt tries seeds until one breaks a promise; it gives that seed.
func hunt(from, to uint64, b Break) (seed uint64, err error) {
	var next, found atomic.Uint64
	next.Store(from)
	found.Store(to)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var c crew
			defer c.close()
			for {
				seed := next.Add(1) - 1
				if seed >= found.Load() || seed >= to {
					return
				}
				if e := c.run(Options{Seed: seed, Break: b}).problem; e != nil {
					mu.Lock()
					if seed < found.Load() {
						found.Store(seed)
						err = e
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return found.Load(), err
}

// keep writes the transcript of a failing seed where people find it.
func keep(t *testing.T, o Options) string {
	dir := os.Getenv("PRPFLOW_SIM_TRANSCRIPTS")
	if dir == "" {
		dir = os.TempDir()
	}
	file := filepath.Join(dir, fmt.Sprintf("prpflow-sim-seed-%d.txt", o.Seed))
	if err := os.WriteFile(file, []byte(strings.Join(Transcript(o), "\n")+"\n"), 0o644); err != nil {
		t.Logf("the transcript is not kept: %v", err)
	}
	return file
}

func TestNoInterleavingBreaksAPromise(t *testing.T) {
	if *seedFlag != 0 {
		for _, line := range Transcript(Options{Seed: *seedFlag}) {
			fmt.Println(line)
		}
		return
	}
	n := schedules(t)
	if seed, err := hunt(1, n+1, BreakNothing); err != nil {
		t.Fatalf("seed %d: %v\ntranscript: %s\nagain: go test ./workflow/simtest -run NoInterleaving -seed %d", seed, err, keep(t, Options{Seed: seed}), seed)
	}
	t.Logf("%d schedules", n)
}
