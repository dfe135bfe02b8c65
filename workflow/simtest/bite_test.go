package simtest

import (
	"fmt"
	"testing"
)

// What is broken on purpose is found, or the simulation proves nothing.
func TestWhatIsBrokenIsFound(t *testing.T) {
	t.Parallel()
	for b := BreakSwap; b < breakKinds; b++ {
		t.Run(fmt.Sprint(b), func(t *testing.T) {
			t.Parallel()
			seed, err := hunt(1, 20_000, b)
			if err == nil {
				t.Fatal("20,000 schedules have not found it")
			}
			t.Logf("%v is found by seed %d: %v", b, seed, err)
		})
	}
}

func TestSameSeedIsTheSameWorld(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed < 20; seed++ {
		a, b := Transcript(Options{Seed: seed}), Transcript(Options{Seed: seed})
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("seed %d has two transcripts", seed)
		}
	}
}
