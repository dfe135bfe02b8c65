package reliable

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Waits counts waiting times by steps: step n holds those above bound n-1, up to
// bound n. A bound is a quarter above the one before.
type Waits map[int]int64

// bound is the longest waiting time of a step.
func bound(step int) time.Duration {
	return time.Duration((math.Pow(1.25, float64(step)) - 1) * float64(time.Millisecond))
}

// readWaits reads what lua/with/waits.lua has counted.
func readWaits(answer any) Waits {
	fields, _ := answer.([]any)
	w := Waits{}
	for pair := range slices.Chunk(fields, 2) {
		name, _ := pair[0].(string)
		digits, ok := strings.CutPrefix(name, "w")
		step, err := strconv.Atoi(digits)
		if !ok || err != nil || len(pair) < 2 {
			continue
		}
		text, _ := pair[1].(string)
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			w[step] = n
		}
	}
	return w
}

// Count is how many messages were counted.
func (w Waits) Count() (n int64) {
	for _, one := range w {
		n += one
	}
	return n
}

// Quantile is the waiting time that a share of the messages stayed within, to a
// quarter; zero where none was counted. 0.95 is the 95th percentile.
func (w Waits) Quantile(share float64) time.Duration {
	left := int64(math.Ceil(share * float64(w.Count())))
	if left <= 0 {
		return 0
	}
	for _, step := range slices.Sorted(maps.Keys(w)) {
		if left -= w[step]; left <= 0 {
			return bound(step)
		}
	}
	return 0
}

// Add counts the messages of another queue as well.
func (w Waits) Add(other Waits) {
	for step, n := range other {
		w[step] += n
	}
}

// Since is what was counted after an earlier look.
func (w Waits) Since(earlier Waits) Waits {
	since := Waits{}
	for step, n := range w {
		if n -= earlier[step]; n > 0 {
			since[step] = n
		}
	}
	return since
}

// Buckets are the counts up to each bound in seconds, as a Prometheus histogram has
// them, and the sum of the bounds.
func (w Waits) Buckets() (counts map[float64]uint64, sum float64) {
	counts = map[float64]uint64{}
	var total uint64
	steps := slices.Sorted(maps.Keys(w))
	for step := range lastStep + 1 {
		total += uint64(max(0, w[step])) //nolint:gosec // not below zero
		if step%everyStep == 0 {
			counts[bound(step).Seconds()] = total
		}
	}
	for _, step := range steps {
		sum += float64(w[step]) * bound(step).Seconds()
	}
	return counts, sum
}

const (
	lastStep  = 66 // 42 minutes
	everyStep = 3  // about a factor of two
)
