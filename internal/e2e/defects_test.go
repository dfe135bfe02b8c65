package e2e

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow/redisstore"
)

// The scripts and queues that this program replaces had sixteen defects. Each has a
// test here that says what holds in its place.

// mailbox opens a queue of package reliable.
func mailbox(t *testing.T, rdb redis.UniversalClient, name string) *reliable.Queue {
	t.Helper()
	q, err := reliable.New(rdb, reliable.Config{Name: name, Backoff: time.Millisecond})
	ok(t, err)
	return q
}

func pushed(t *testing.T, q *reliable.Queue, ids ...string) {
	t.Helper()
	var list []reliable.Message
	for _, id := range ids {
		list = append(list, reliable.Message{ID: id, Body: []byte(id)})
	}
	_, err := q.Push(t.Context(), list...)
	ok(t, err)
}

func wantBooks(t *testing.T, q *reliable.Queue, want reliable.Books) {
	t.Helper()
	if got, err := q.Books(t.Context()); err != nil || got.String() != want.String() {
		t.Errorf("the books say %s, %v, want %s", got, err, want)
	}
}

// A message was popped, and kept safe in a second step: a crash in between lost it.
func TestDefect01_CrashBetweenTakeAndSafekeepingLosesNothing(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	heir := mailbox(t, server.Client(), "mail")
	_, _ = heir.Receive(t.Context(), 0) // the server knows the script now
	pushed(t, heir, "1", "2", "3", "4")
	wire := redistest.NewWire(t, server.Addr)
	rdb := redis.NewClient(&redis.Options{Addr: wire.Addr, ReadTimeout: 1500 * time.Millisecond, MaxRetries: -1})
	defer rdb.Close()
	doomed := mailbox(t, rdb, "mail")
	ok(t, rdb.Ping(t.Context()).Err())
	wire.Deafen() // Redis hands the messages out, and nobody receives them
	_, _ = doomed.ReceiveMany(t.Context(), 3, 0)
	wire.Cut()
	wantBooks(t, heir, reliable.Books{Pushed: 4, Taken: 3, Waiting: 1})
	if n, err := heir.Reap(t.Context(), doomed.Worker()); n != 3 || err != nil {
		t.Errorf("%d messages came back, %v", n, err)
	}
	if got, err := heir.ReceiveMany(t.Context(), 9, 0); err != nil || len(got) != 4 || got[0].ID != "1" || got[3].ID != "4" {
		t.Errorf("received %v, %v", got, err)
	}
}

// A time to live on the list of what was taken deleted the work of whoever was slow.
func TestDefect02_LeaseIsDataAndNoTimeToLive(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Redis(t), redistest.Name("mail")
	q := mailbox(t, rdb, name)
	pushed(t, q, "1", "2", "3", "4", "5")
	_, err := q.Push(t.Context(), reliable.Message{ID: "later", Delay: time.Hour}, reliable.Message{ID: "short", TTL: time.Hour}, reliable.Message{ID: "bad", Dead: "bad"})
	ok(t, err)
	got, err := q.ReceiveMany(t.Context(), 4, 0)
	ok(t, err)
	ok(t, errors.Join(q.Nack(t.Context(), errors.New("no"), got[0]), q.Ack(t.Context(), got[1].ID), q.Extend(t.Context()), q.Tend(t.Context())))
	marks := 0
	for found := rdb.Scan(t.Context(), 0, "{q:"+name+"}:*", 1000).Iterator(); found.Next(t.Context()); {
		if strings.Contains(found.Val(), ":seen:") {
			marks++
		} else if ttl := rdb.PTTL(t.Context(), found.Val()).Val(); ttl != -1 {
			t.Errorf("%s lives for %s", found.Val(), ttl)
		}
	}
	if marks != 8 {
		t.Errorf("found %d marks of pushes, want 8", marks)
	}
}

// A message was acknowledged by its whole text: any change of it made that fail.
func TestDefect03_AckIsByIDWhateverBecameOfTheText(t *testing.T) {
	t.Parallel()
	rdb := redistest.Redis(t)
	q := mailbox(t, rdb, redistest.Name("mail"))
	pushed(t, q, "1")
	m, err := q.Receive(t.Context(), 0)
	ok(t, err)
	ok(t, q.Nack(t.Context(), errors.New("no"), m)) // it has a history now
	if m, err = q.Receive(t.Context(), patience); err != nil || m.Attempt != 1 || len(m.History) != 1 {
		t.Errorf("received %+v, %v", m, err)
	}
	ok(t, rdb.HSet(t.Context(), q.Keys().Tries, "1", `{"n":3,"h":[],"more":true}`).Err())
	ok(t, rdb.HSet(t.Context(), q.Keys().Messages, "1", `{ "body": "1", "id": "1", "more": 7 }`).Err())
	ok(t, q.Ack(t.Context(), "1"))
	wantBooks(t, q, reliable.Books{Pushed: 1, Done: 1})
}

// Two pollers that moved what was due both pushed it.
func TestDefect04_ManyPollersPromoteADelayedMessageOnce(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Redis(t), redistest.Name("mail")
	q := mailbox(t, rdb, name)
	for i := range 200 {
		_, err := q.Push(t.Context(), reliable.Message{ID: fmt.Sprint(i), Delay: time.Duration(100+i%100) * time.Millisecond})
		ok(t, err)
	}
	var pollers sync.WaitGroup
	for range 8 {
		poller := mailbox(t, rdb, name)
		pollers.Go(func() {
			for end := time.Now().Add(time.Second); time.Now().Before(end); {
				_ = poller.Tend(t.Context())
			}
		})
	}
	pollers.Wait()
	wantBooks(t, q, reliable.Books{Pushed: 200, Waiting: 200})
}

// A priority was stored, and nothing ever read it.
func TestDefect05_PriorityIsALabelOfMessagesAndAQueueOfTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(0, "send", "validator", "first", "--priority", "low")
	w.want(0, "send", "validator", "second", "--priority", "high")
	w.wantInbox("validator", "first", "second")
	w.has("inbox", w.want(0, "inbox", "validator", "--json").out, `"priority": "low"`, `"priority": "high"`)
	w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...))
	w.write("do-developer-PRP-1", "hold")
	w.begins("PRP-1")
	w.want(0, "submit", w.doc("", "PRP-2"), "--priority", "P3")
	w.want(0, "submit", w.doc("", "PRP-3"), "--priority", "P0")
	w.eventually(soon, "both wait for the developer", func() bool {
		return w.state("PRP-2") == "assigned" && w.state("PRP-3") == "assigned"
	})
	time.Sleep(someTime)
	w.write("go-PRP-1", "")
	w.reaches("PRP-2", "complete")
	w.reaches("PRP-3", "complete")
	if w.runs("PRP-3", "developer")[0].at > w.runs("PRP-2", "developer")[0].at {
		t.Error("the urgent PRP was developed after the other")
	}
}

// The monitor swallowed its errors, and all its numbers were zero.
func TestDefect06_MetricsAreRealOrSayThatTheyAreMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, url := w.serve("serve")
	w.want(0, "send", "dev-1", "one")
	w.want(0, "send", "dev-1", "two")
	w.want(0, "inbox", "dev-1", "--take", "--exec", "true")
	_, page := w.get(url + "/metrics")
	w.has("metrics", page, `prpflow_messages_total{fate="pushed",queue="inbox:dev-1"} 2`, `prpflow_messages_total{fate="done",queue="inbox:dev-1"} 1`, "prpflow_scrape_errors 0")
	w.redis.Kill()
	w.eventually(soon, "the metrics say what is missing", func() bool {
		_, page = w.get(url + "/metrics")
		return strings.Contains(page, "prpflow_scrape_errors ") && !strings.Contains(page, "prpflow_scrape_errors 0")
	})
	if strings.Contains(page, `{fate="pushed"`) {
		t.Errorf("numbers that nobody has read:\n%s", series(page))
	}
}

// Each line of a text was typed with its own Enter: one assignment became a dozen.
func TestDefect07_TextOfSeveralLinesIsOneMessageAndOneLineInAPane(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const text = "do this:\n1. one\n2. two\n"
	w.want(0, "send", "dev-1", text)
	w.wantInbox("dev-1", text)
	w.want(0, "mode", "set", "dual", "--agent", "dev-1")
	w.serve("serve", "--agents", w.paneAgents(w.panes(`stty -echo; while IFS= read -r l; do echo "$l" >>'`+w.path("typed")+`'; done`)))
	w.eventually(patience, "the pane is rung", func() bool { return len(w.typed()) > 0 })
	time.Sleep(someTime)
	if lines := w.typed(); len(lines) != 1 {
		t.Errorf("typed %q", lines)
	}
}

// Two consumers of one queue stole each other's messages.
func TestDefect08_TwoConsumersOfOneInboxGetEachMessageOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var sent []string
	for i := range 20 {
		sent = append(sent, fmt.Sprintf("message %02d", i))
		w.want(0, "send", "dev-1", sent[i])
	}
	var consumers []*process
	for _, name := range []string{"one", "two"} {
		consumers = append(consumers, w.start(name, "inbox", "dev-1", "--follow", "--idle-exit", "2s", "--exec", "cat >>"+w.path("got-"+name)+"; sleep 0.2"))
	}
	consumers[0].ends(soon)
	consumers[1].ends(soon)
	var got []string
	for line := range strings.Lines(w.read("got-one") + w.read("got-two")) {
		var m mail
		w.decode(line, &m)
		got = append(got, m.Message)
	}
	slices.Sort(got)
	if !slices.Equal(got, sent) || w.read("got-one") == "" || w.read("got-two") == "" {
		t.Errorf("the consumers got %q", got)
	}
}

// A loop read its own reports, did not know their kind, and met them again and again.
func TestDefect09_WhatNobodyUnderstandsIsADeadLetterAndStaysOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	rdb := w.redis.Client()
	w.eventually(soon, "serve hears the bus", func() bool {
		return rdb.Publish(t.Context(), "agent:dev-1", "no JSON at all").Val() > 0
	})
	ok(t, rdb.LPush(t.Context(), "{q:inbox:dev-1}:pending", "no element of a queue").Err())
	w.want(0, "send", "dev-1", "a kind that nobody knows", "--max-attempts", "1")
	w.want(1, "inbox", "dev-1", "--take", "--wait", "5s", "--exec", "exit 9")
	letters := func() (list []mail) {
		w.decode(w.want(0, "dlq", "list", "--json").out, &list)
		return list
	}
	w.eventually(soon, "three dead letters", func() bool { return len(letters()) == 3 })
	time.Sleep(someTime)
	w.want(3, "inbox", "dev-1", "--take")
	if list := letters(); len(list) != 3 {
		t.Errorf("dead letters %+v, want 3", list)
	}
}

// A rejected item went to a queue that nobody read, or was pushed twice.
func TestDefect10_RejectedPRPIsInOneQueueThatOfItsDeveloper(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("do-validator", rejectFirst)
	w.write("do-developer", `[ ! -e "$STATE/rejected-$PRPFLOW_PRP_ID" ] || hold`)
	w.serve("serve", "--agents", w.agentsFile("team", 1, team...))
	w.submit("PRP-1")
	w.eventually(soon, "it is developed again", func() bool { return w.runsOf("PRP-1", "developer") == 2 })
	time.Sleep(someTime)
	runs := w.runs("PRP-1", "developer")
	rdb := w.redis.Client()
	var queued []string
	for found := rdb.Scan(t.Context(), 0, "asynq:{*}:t:*", 1000).Iterator(); found.Next(t.Context()); {
		task := rdb.HGetAll(t.Context(), found.Val()).Val()
		if strings.Contains(task["msg"], "PRP-1") && task["state"] != "completed" {
			queued = append(queued, found.Val())
		}
	}
	if len(runs) != 2 || runs[0].agent != runs[1].agent || len(queued) != 1 || !strings.Contains(queued[0], "{agent:"+runs[0].agent+":") {
		t.Errorf("it was developed by %+v and is in the queues %q", runs, queued)
	}
}

// The scripts made up their keys, and no cluster could run them.
func TestDefect11_EveryOperationRunsOnACluster(t *testing.T) {
	t.Parallel()
	rdb, name, ctx := redistest.Cluster(t), redistest.Name("mail"), t.Context()
	q := mailbox(t, rdb, name)
	pushed(t, q, "1", "2", "3", "4", "5", "6", "7", "8")
	_, err := q.Push(ctx, reliable.Message{ID: "later", Delay: time.Millisecond}, reliable.Message{ID: "bad", Dead: "bad"}, reliable.Message{ID: "worse", Dead: "bad"})
	ok(t, err)
	got, err := q.ReceiveMany(ctx, 7, 0)
	ok(t, err)
	second := func(_ any, err error) error { return err }
	ok(t, errors.Join(q.Ack(ctx, "1"), q.Nack(ctx, errors.New("no"), got[1]), q.Release(ctx, got[2]), q.Bury(ctx, got[3], errors.New("no")),
		q.Park(ctx, "task", "5"), second(q.Shelves(ctx)), q.Adopt(ctx, "task"), q.Replace(ctx, "6", reliable.Message{ID: "next"}),
		second(q.Mine(ctx)), second(q.InHand(ctx)), second(q.Peek(ctx, 9)), second(q.PeekDelayed(ctx, 9)), second(q.Find(ctx, "1")),
		second(q.Depth(ctx)), second(q.Dead(ctx)), q.Extend(ctx), q.Tend(ctx), q.Pause(ctx), q.Resume(ctx),
		second(q.Replay(ctx, "bad")), second(q.Drop(ctx, "worse")), second(q.Drop(ctx, "4")), second(q.Reap(ctx, q.Worker())),
		second(q.Purge(ctx)), q.Close(ctx)))
	wantBooks(t, q, reliable.Books{Pushed: 12, Done: 2, Dropped: 10})
}

// YAML, two namespaces in Redis, a log and the folder of a file each had their own truth.
func TestDefect12_ShowListAndRecordAgreeAfterAKill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	store, err := redisstore.New(w.redis.Client(), redisstore.Config{Worker: "reader"})
	ok(t, err)
	defer store.Close()
	agree := func(state string) {
		var list []shown
		w.decode(w.want(0, "list", "--json").out, &list)
		rec, _, err := store.Load(t.Context(), "PRP-1")
		ok(t, err)
		if one := w.show("PRP-1"); len(list) != 1 || one.State != state || list[0].State != state || string(rec.State) != state {
			t.Errorf("want %s: show says %s, list %+v, the record %s", state, one.State, list, rec.State)
		}
	}
	serve, _ := w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...))
	w.write("do-developer", "hold")
	w.begins("PRP-1")
	serve.kill()
	agree("development")
	w.write("go-PRP-1", "")
	w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...))
	w.reaches("PRP-1", "complete")
	agree("complete")
}

// An agent's word that it is done was enough.
func TestDefect13_DoneWithoutItsEvidenceIsSentBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("do-developer", `[ -e "$STATE/again" ] || { : >"$STATE/again"; answer '{"outcome":"done","evidence":{"tests_passed":true}}'; exit 0; }
cp "$PRPFLOW_TASK_FILE" "$STATE/task.json"`)
	w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...))
	w.submit("PRP-1")
	w.reaches("PRP-1", "complete")
	w.ran("PRP-1", 2, "developer")
	w.history("PRP-1").isExactly(straight...)
	w.has("the second task", w.read("task.json"), "lint_clean", "coverage_pct")
}

// An agent was woken every ten minutes without any news, and began to make them up.
func TestDefect14_NobodyIsWokenWithoutNewWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...))
	time.Sleep(5 * time.Second)
	if runs := w.read("runs"); runs != "" {
		t.Errorf("idle agents were run:\n%s", runs)
	}
	w.submit("PRP-1")
	w.reaches("PRP-1", "complete")
	time.Sleep(5 * time.Second)
	w.ran("PRP-1", 3)
	w.wantInbox("orchestrator")
	w.wantInbox("dev-1")
}

// A lost Enter glued two messages into one.
func TestDefect15_MessagesSentAtOnceAreNeverGlued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}
	for _, text := range want {
		w.start("send-"+text, "send", "dev-1", text)
	}
	w.eventually(soon, "each is a message", func() bool {
		got := w.inbox("dev-1")
		slices.Sort(got)
		return slices.Equal(got, want)
	})
}

// The script that was to recover flushed the whole Redis and killed by name.
func TestDefect16_NothingEverFlushesOrKillsByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rdb := w.redis.Client()
	ok(t, rdb.Set(t.Context(), "foreign", "untouched", 0).Err())
	for _, killer := range []string{"pkill", "killall"} {
		w.write("bin/"+killer, "#!/bin/sh\necho $0 >>"+w.path("killers")+"\n")
		ok(t, os.Chmod(w.path("bin/"+killer), 0o755))
	}
	w.env = append(w.env, "PATH="+w.path("bin")+":"+os.Getenv("PATH"))
	serve, _ := w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...))
	w.want(0, "submit", w.doc("", "PRP-1"), "--wait")
	for _, args := range []string{
		"send dev-1 one --max-attempts 1", "queue list", "queue pause inbox:dev-1", "queue purge inbox:dev-1 --yes", "queue resume inbox:dev-1",
		"queue drain inbox:dev-1", "dlq list", "mode set tmux", "mode set redis", "agents", "list", "history PRP-1", "export --lane all " + w.path("x"), "spool drain", "demo --once",
	} {
		if a := w.runFor(2*soon, strings.Fields(args)...); a.code != 0 {
			t.Errorf("%s: exit %d: %s", args, a.code, a.errout)
		}
	}
	serve.kill()
	w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...)) // it recovers
	stats := rdb.Info(t.Context(), "commandstats").Val()
	for _, bad := range []string{"flushall", "flushdb", "keys", "config|resetstat", "swapdb", "shutdown", "script|flush"} {
		if strings.Contains(stats, "cmdstat_"+bad+":") {
			t.Errorf("Redis was told %s", bad)
		}
	}
	if got := rdb.Get(t.Context(), "foreign").Val(); got != "untouched" || w.read("killers") != "" {
		t.Errorf("the foreign key is %q, called were %q", got, w.read("killers"))
	}
}
