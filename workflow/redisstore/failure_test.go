package redisstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// calls makes every call of a store about one name, but for Receive, which waits.
func calls(ctx context.Context, s *Store, name string) map[string]error {
	c := creation("e") // which Mine expects
	c.Record.ID, c.Outbox[0].PRP = name, name
	e := workflow.OutboxEntry{ID: name, PRP: name, Kind: workflow.SendLook}
	errs := map[string]error{}
	_, _, errs["Load"] = s.Load(ctx, name)
	_, _, errs["LoadMany"] = s.LoadMany(ctx, []string{name})
	_, errs["Apply"] = s.Apply(ctx, c)
	errs["Look"] = s.Look(ctx, name, 1, time.Second)
	_, errs["Request"] = s.Request(ctx, name, name)
	_, errs["History"] = s.History(ctx, name)
	_, errs["List"] = s.List(ctx)
	_, _, errs["Counts"] = s.Counts(ctx)
	_, errs["Due"] = s.Due(ctx, 1)
	_, _, errs["Scan"] = s.Scan(ctx, "", 1)
	_, errs["Published"] = s.Published(ctx)
	_, _, errs["ScanPublished"] = s.ScanPublished(ctx, "", 1)
	errs["Unpublish"] = s.Unpublish(ctx, []string{tasks.NewJobID(name, 1, "n")})
	_, errs["LeaseMembers"] = s.LeaseMembers(ctx, name, 1)
	_, errs["LeaseNames"] = s.LeaseNames(ctx)
	_, errs["Held"] = s.Held(ctx, name)
	_, errs["DeadLetters"] = s.DeadLetters(ctx)
	_, errs["DeadLetter"] = s.DeadLetter(ctx, name+":1:x")
	errs["AddDependant"] = s.AddDependant(ctx, name, name)
	_, errs["Dependants"] = s.Dependants(ctx, name, "", 1)
	_, errs["AcquireLease"] = s.AcquireLease(ctx, name, name, 1)
	_, errs["ReleaseLease"] = s.ReleaseLease(ctx, name, name, 1)
	_, errs["Lead"] = s.Lead(ctx, name, 0)
	errs["PutLog"] = s.PutLog(ctx, name, workflow.RunLog{Run: name})
	_, errs["Logs"] = s.Logs(ctx, name)
	errs["PutDocument"] = s.PutDocument(ctx, name, nil)
	_, errs["Document"] = s.Document(ctx, name)
	errs["PutLifecycle"] = s.PutLifecycle(ctx, name, nil)
	_, errs["Lifecycle"] = s.Lifecycle(ctx, name)
	errs["UseLifecycle"] = s.UseLifecycle(ctx, name)
	_, errs["Meta"] = s.Meta(ctx, workflow.Meta{})
	errs["Ack"] = s.Ack(ctx, e)
	errs["Requeue"] = s.Requeue(ctx, e, e)
	_, errs["Mine"] = s.Mine(ctx)
	_, errs["Reap"] = s.Reap(ctx, []string{name})
	_, errs["Unsent"] = s.Unsent(ctx, []workflow.OutboxRef{{PRP: name, ID: name}})
	errs["Park"] = s.Park(ctx, e)
	errs["Adopt"] = s.Adopt(ctx, []string{name})
	_, errs["OutboxLag"] = s.OutboxLag(ctx)
	_, errs["OutboxDead"] = s.OutboxDead(ctx)
	return errs
}

// once sends each command once, so that the tests of failures take no time.
func once(t *testing.T, addr string) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func TestWhatIsNotKnownToBeRefusedMayHaveHappened(t *testing.T) {
	t.Parallel()
	gone := miniredis.RunT(t)
	down := open(t, once(t, gone.Addr()), Config{Worker: "host:1:a"})
	gone.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	live := open(t, redistest.Mini(t), Config{Worker: "host:1:a"})
	_, _, err := down.Receive(t.Context(), time.Minute)
	for how, errs := range map[string]map[string]error{
		"down": calls(t.Context(), down, "x"), "cancelled": calls(cancelled, live, "x"), "waiting": {"Receive": err},
	} {
		for name, err := range errs {
			if !errors.Is(err, workflow.ErrUnavailable) {
				t.Errorf("%s, %s: %v", how, name, err)
			}
		}
	}
}

func TestAnswersOfAServerThatCannotServeNowAreNoRefusals(t *testing.T) {
	t.Parallel()
	mini := miniredis.RunT(t)
	s := open(t, once(t, mini.Addr()), Config{})
	for text, passes := range map[string]bool{
		"LOADING Redis is loading the dataset in memory":                                      true,
		"READONLY You can't write against a read only replica.":                               true,
		"CLUSTERDOWN The cluster is down":                                                     true,
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.":    true,
		"TRYAGAIN Multiple keys request during rehashing of slot":                             true,
		"BUSY Redis is busy running a script. You can only call SCRIPT KILL.":                 true,
		"OOM command not allowed when used memory > 'maxmemory'.":                             true,
		"MISCONF Redis is configured to save RDB snapshots, but it's unable to persist":       true,
		"NOREPLICAS Not enough good replicas to write.":                                       true,
		"MOVED 3999 127.0.0.1:6381":                                                           true,
		"ASK 3999 127.0.0.1:6381":                                                             true,
		"UNBLOCKED force unblock from blocking operation, instance state changed":             true,
		"ERR max number of clients reached":                                                   true,
		"ERR Error running script (call to f_ab): @user_script:21: -OOM command not allowed":  true,
		"ERR Error running script (call to f_ab): @user_script:21: -READONLY You can't write": true,
		"ERR unknown command": false,
		"WRONGTYPE Operation against a key holding the wrong kind of value":               false,
		"NOPERM this user has no permissions to access one of the keys used as arguments": false,
		"BUSYGROUP Consumer Group name already exists":                                    false,
	} {
		mini.SetError(text)
		_, err := s.Apply(t.Context(), creation())
		if err == nil || errors.Is(err, workflow.ErrUnavailable) != passes {
			t.Errorf("%v", err)
		}
	}
	mini.SetError("")
	if _, err := s.Apply(t.Context(), creation()); err != nil {
		t.Error(err)
	}
}

func TestAnOutageIsToldAndThenForgotten(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	b := newBench(t, once(t, server.Addr))
	if _, _, err := b.Receive(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	for {
		if _, _, err := b.Receive(t.Context(), 20*time.Second); err != nil {
			if !errors.Is(err, workflow.ErrUnavailable) {
				t.Error(err)
			}
			break
		}
	}
	server.Restart()
	short := open(t, b.rdb, Config{})
	c := creation("e")
	for {
		if _, err := short.Apply(t.Context(), c); err == nil {
			break
		}
	}
	if e := b.receive(c.Record.ID); e.ID != c.Outbox[0].ID {
		t.Errorf("received %v", e)
	}
}

// The outcome of a change whose answer is lost is unknown; the same one again is
// answered as it was, and what it has to send is not lost.
func TestALostAnswerLosesNothing(t *testing.T) {
	b := mini(t)
	lose := true
	b.around(func(ctx context.Context, cmd redis.Cmder, send redis.ProcessHook) error {
		err := send(ctx, cmd)
		if name := cmd.Name(); (name == "evalsha" || name == "eval") && lose && err == nil {
			err = fmt.Errorf("read: %w", context.DeadlineExceeded)
			cmd.SetErr(err)
		}
		return err
	})
	c := creation("e")
	if _, err := b.Apply(b.Context(), c); !errors.Is(err, workflow.ErrUnavailable) {
		b.Fatalf("error %v", err)
	}
	lose = false
	if ids := b.mineIDs(); len(ids) != 1 || ids[0] != c.Outbox[0].ID {
		b.Errorf("to be sent: %v", ids)
	}
	again := b.apply(c)
	stored, _, err := b.Load(b.Context(), c.Record.ID)
	b.must(err)
	if again.Version != 1 || !again.UpdatedAt.Equal(stored.UpdatedAt) || stored.Version != 1 {
		b.Errorf("answered %+v, stored %+v", again, stored)
	}
}
