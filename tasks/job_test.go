package tasks_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/prpflow/prpflow/tasks"
)

func TestJobIDGivesBackWhatItWasMadeOf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		prp := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9:._-]{0,30}`).Draw(t, "prp")
		fence := rapid.Int64Min(0).Draw(t, "fence")
		nonce := rapid.StringMatching(`[a-z0-9]{1,12}`).Draw(t, "nonce")
		gotPRP, gotFence, err := tasks.ParseJobID(tasks.NewJobID(prp, fence, nonce))
		if err != nil || gotPRP != prp || gotFence != fence {
			t.Fatalf("%q %d: %v", gotPRP, gotFence, err)
		}
	})
}

func TestWhatIsNoJobIDIsRefused(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", ":", "::", "PRP-1", "PRP-1:2", "PRP-1:2:", ":2:x", "PRP-1:x:y", "PRP-1:-2:x", "PRP-1:99999999999999999999:x"} {
		if _, _, err := tasks.ParseJobID(id); !errors.Is(err, tasks.ErrBadJobID) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
