package redisstore

import (
	"errors"
	"testing"

	"github.com/prpflow/prpflow/workflow"
)

// The names of the keys are what a store on disk is read by: they never change.
func TestKeysNeverChange(t *testing.T) {
	t.Parallel()
	s := &Store{cfg: Config{Partitions: 8}}
	key := func(key string, err error) string {
		if err != nil {
			return err.Error()
		}
		return key
	}
	for want, got := range map[string]string{
		"{p3}:prp:PRP-1": key(s.recordKey("PRP-1")), "{p3}:history:PRP-1": key(s.historyKey("PRP-1")),
		"{p3}:logs:PRP-1": key(s.logsKey("PRP-1")), "{p3}:dependants:PRP-1": key(s.dependantsKey("PRP-1")),
		"{p3}:request:PRP-1:r:1": key(s.requestKey("PRP-1", "r:1")), "{p3}:request:PRP-1%3Ar:1": key(s.requestKey("PRP-1:r", "1")),
		"{p3}:held:host:1:n": key(heldKey(3, "host:1:n")), "{p3}:due": dueKey(3), "{p3}:index": indexKey(3), "{p3}:states": statesKey(3),
		"{p3}:events": eventsKey(3), "{p3}:dead": deadKey(3), "{p3}:dead:times": deadTimesKey(3), "{p3}:outbox": outboxPrefix(3),
		"prpflow:lease:repo": key(leaseKey("repo")), "prpflow:document:ab": key(documentKey("ab")), "prpflow:lifecycle:cd": key(lifecycleKey("cd")),
		"prpflow:meta": metaKey, "prpflow:sweeper": leaderKey, "prpflow:events": EventsChannel,
	} {
		if got != want {
			t.Errorf("the key is %s, not %s", got, want)
		}
	}
}

func TestEmptyPartsNameNoKey(t *testing.T) {
	t.Parallel()
	s := &Store{cfg: Config{Partitions: 8}}
	for name, err := range map[string]error{
		"record": second(s.recordKey("")), "history": second(s.historyKey("")), "logs": second(s.logsKey("")),
		"dependants": second(s.dependantsKey("")), "request": second(s.requestKey("PRP-1", "")), "request of nobody": second(s.requestKey("", "r")),
		"held": second(heldKey(0, "")), "lease": second(leaseKey("")), "document": second(documentKey("")), "lifecycle": second(lifecycleKey("")),
	} {
		if !errors.Is(err, errEmpty) || !errors.Is(err, workflow.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ string, err error) error { return err }

// What an empty name is given is refused, and never taken for an outage: nobody
// would stop to repeat it.
func TestEmptyNamesAreRefused(t *testing.T) {
	b := mini(t)
	errs := calls(b.Context(), b.Store, "")
	for _, name := range []string{
		"Load", "Apply", "Look", "History", "Held", "AddDependant", "Dependants", "AcquireLease", "ReleaseLease", "PutLog", "Logs",
		"PutDocument", "Document", "PutLifecycle", "Lifecycle", "Requeue",
	} {
		if err := errs[name]; err == nil || errors.Is(err, workflow.ErrUnavailable) {
			b.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"LoadMany", "Request"} { // they know a word for it
		if errs[name] != nil {
			b.Errorf("%s: %v", name, errs[name])
		}
	}
}
