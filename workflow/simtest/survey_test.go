package simtest

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// PRPFLOW_SIM_SURVEY=N lists all that breaks within N seeds, each kind with its
// number and its first seed: for work on the simulation itself.
func TestSurvey(t *testing.T) {
	n, err := strconv.ParseUint(os.Getenv("PRPFLOW_SIM_SURVEY"), 10, 64)
	if err != nil {
		t.Skip("PRPFLOW_SIM_SURVEY=N lists all that breaks within N seeds")
	}
	type kind struct {
		says  string
		first uint64
		n     int
	}
	kinds := map[string]*kind{}
	particular := regexp.MustCompile(`\(.*|\{.*|\[.*|[A-Za-z-]*[-:]?\d[\w:.-]*|"[^"]*"`)
	var next atomic.Uint64
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var c crew
			defer c.close()
			for seed := next.Add(1); seed <= n; seed = next.Add(1) {
				problem := c.run(Options{Seed: seed}).problem
				if problem == nil {
					continue
				}
				key := particular.ReplaceAllString(problem.Error(), "…")
				mu.Lock()
				if k := kinds[key]; k == nil {
					kinds[key] = &kind{problem.Error(), seed, 1}
				} else if k.n++; seed < k.first {
					k.first, k.says = seed, problem.Error()
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, k := range slices.SortedFunc(maps.Values(kinds), func(a, b *kind) int { return cmp.Compare(b.n, a.n) }) {
		fmt.Printf("%6d, first by %d: %.600s\n", k.n, k.first, k.says)
	}
	fmt.Printf("%d schedules, %.0f a second\n", n, float64(n)/time.Since(began).Seconds())
}
