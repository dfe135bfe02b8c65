package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mail is a message as `inbox --json` and `dlq list --json` print it.
type mail struct {
	ID      string `json:"id"`
	Lane    string `json:"lane"`
	From    string `json:"from"`
	Message string `json:"message"`
	Type    string `json:"type"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
	Attempt int    `json:"attempt"`
}

func (w *world) inbox(name string) (texts []string) {
	w.t.Helper()
	var list []mail
	w.decode(w.want(0, "inbox", name, "--json").out, &list)
	for _, m := range list {
		texts = append(texts, m.Message)
	}
	return texts
}

func (w *world) wantInbox(name string, texts ...string) {
	w.t.Helper()
	if got := w.inbox(name); !slices.Equal(got, texts) {
		w.t.Errorf("the inbox of %s has %q, want %q", name, got, texts)
	}
}

func TestSendTakesWhatTheContractSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := strings.TrimSpace(w.want(0, "send", "Dev-1", "hello `x` $HOME; ").out)
	w.has("send --status", w.want(0, "send", "--status", id).out, "waiting", "dev-1")
	w.want(0, "send", "dev-1", "--", "-n --flag")
	w.want(0, "send", "dev-1", "once", "--id", "job-42")
	w.has("send of the same id", w.want(0, "send", "dev-1", "once", "--id", "job-42").out, "sent before")
	w.want(0, "send", "dev-1", "later", "--delay", "1h", "--from", "PM-1")
	w.wantInbox("dev-1", "hello `x` $HOME; ", "-n --flag", "once", "later")
	var list []mail
	w.decode(w.want(0, "inbox", "dev-1", "--json").out, &list)
	if list[0].Type != "direct" || list[0].State != "waiting" || list[3].Type != "agent_to_agent" || list[3].From != "PM-1" || list[3].State != "delayed" || list[0].Attempt != 1 {
		t.Errorf("messages %+v", list)
	}
	w.has("inbox", w.want(0, "inbox", "dev-1", "--limit", "1").out, "hello")
	w.want(0, "broadcast", "to all", "--from", "PM-1")
	for code, calls := range map[int][][]string{
		2: {
			{"send", "dev-1"}, {"send", "broadcast", "x"}, {"send", "no name", "x"}, {"send", "dev-1", ""}, {"send", "dev-1", "x", "--ttl", "-1s"},
			{"inbox", "dev-1", "--exec", "true"}, {"inbox", "dev-1", "--take", "--limit", "1"}, {"inbox", "dev-1", "--take", "--idle-exit", "1s"}, {"inbox", "no name"},
			{"mode", "set", "pigeon"}, {"queue", "purge", "inbox:dev-1"}, {"queue", "purge", "agent:x", "--yes"}, {"export", "--lane", "x", "f"}, {"dlq", "replay", "--all", "agent:x"},
		},
		3: {{"send", "--status", "unknown"}, {"inbox", "nobody", "--take"}, {"dlq", "replay", "unknown"}, {"queue", "drain", "unknown"}},
	} {
		for _, args := range calls {
			w.sentence(w.want(code, args...))
		}
	}
}

func TestTakeHandsAMessageToACommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(0, "send", "dev-1", "first", "--max-attempts", "2", "--backoff", "1ms")
	w.want(0, "send", "dev-1", "second")
	w.sentence(w.want(1, "inbox", "dev-1", "--take", "--exec", "cat >"+w.path("got")+"; exit 7"))
	var m mail
	w.decode(w.read("got"), &m)
	if m.Message != "first" || m.Attempt != 1 || m.State != "taken" {
		t.Errorf("got %+v", m)
	}
	out := w.want(0, "inbox", "dev-1", "--follow", "--idle-exit", "1s", "--exec", "cat >>"+w.path("all")+"; grep -q second "+w.path("all")).out
	if out != "" || strings.Count(w.read("all"), "second") != 1 {
		t.Errorf("%q, %s", out, w.read("all"))
	}
	w.wantInbox("dev-1")
	w.want(0, "send", "dev-1", "third")
	w.has("--take without a command", w.want(0, "inbox", "dev-1", "--take").out, "third")
}

func TestDeadMessagesAreSeenReplayedDroppedAndExported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"a", "b", "c"} {
		w.want(0, "send", "dev-1", "text of "+id, "--id", id, "--max-attempts", "1")
		w.want(1, "inbox", "dev-1", "--take", "--exec", "false")
	}
	var dead []mail
	w.decode(w.want(0, "dlq", "list", "--json").out, &dead)
	if len(dead) != 3 || dead[0].Lane != "messages" || dead[0].ID != "a" || dead[0].Attempt != 1 || dead[0].Reason == "" {
		t.Errorf("dead letters %+v", dead)
	}
	w.has("dlq show", w.want(0, "dlq", "show", "b").out, "inbox:dev-1", "text of b", "exit status 1")
	w.has("dlq drop", w.want(0, "dlq", "drop", "b").out, "dropped")
	w.want(3, "dlq", "drop", "b")
	w.want(0, "dlq", "replay", "a")
	w.has("dlq replay --all", w.want(0, "dlq", "replay", "--all", "inbox:dev-1").out, "1 back")
	w.wantInbox("dev-1", "text of a", "text of c")
	w.want(0, "queue", "pause", "inbox:dev-1")
	w.want(3, "inbox", "dev-1", "--take")
	w.has("queue list", w.want(0, "queue", "list").out, "inbox:dev-1", "paused")
	w.want(0, "queue", "resume", "inbox:dev-1")
	w.want(0, "mode", "set", "dual", "--agent", "Dev-1", "--reason", "drill")
	w.has("mode", w.want(0, "mode").out, "redis", "dev-1: dual", "drill")
	w.want(0, "mode", "set", "default", "--agent", "dev-1")

	w.want(0, "export", "--lane", "all", w.path("export.jsonl"))
	kinds := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(w.read("export.jsonl")), "\n") {
		var x struct{ Kind string }
		w.decode(line, &x)
		kinds[x.Kind]++
	}
	if kinds["message"] != 2 || kinds["queue"] == 0 || kinds["mode_change"] != 2 {
		t.Errorf("exported %v", kinds)
	}
	w.want(2, "export", w.path("export.jsonl")) // it is not overwritten
	w.sentence(w.want(1, "queue", "drain", "inbox:dev-1", "--timeout", "300ms"))
	w.has("queue purge", w.want(0, "queue", "purge", "inbox:dev-1", "--yes").out, "2 messages")
	w.want(0, "queue", "drain", "inbox:dev-1", "--timeout", "10s")
	w.has("queue list --json", w.want(0, "queue", "list", "--json").out, `"missing": 0`, `"dropped": 3`)
}

func TestMessagesAreSpooledWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	serve, url := w.serve("serve", "--spool-dir", w.path("spool"))
	w.ready(serve, url)
	w.redis.Kill()
	send := func(text string) answer {
		return w.want(0, "send", "dev-1", text, "--spool-dir", w.path("spool"))
	}
	for i := range 3 {
		w.has("send", send(fmt.Sprint("offline ", i)).out, "spooled")
	}
	w.has("spool list", w.want(0, "spool", "list", "--spool-dir", w.path("spool")).out, "dev-1")
	w.sentence(w.want(69, "spool", "drain", "--spool-dir", w.path("spool")))
	w.redis.Restart()
	w.eventually(patience, "serve empties the spool", func() bool { return len(w.inbox("dev-1")) == 3 })
	w.wantInbox("dev-1", "offline 0", "offline 1", "offline 2")
	send("online")
	w.has("spool drain", w.want(0, "spool", "drain", "--spool-dir", w.path("spool")).out, "0 sent")
	w.has("spool list", w.want(0, "spool", "list", "--spool-dir", w.path("spool")).out, "nothing is spooled")
	w.wantInbox("dev-1", "offline 0", "offline 1", "offline 2", "online")
	code, metrics := w.get(url + "/metrics")
	if code != 200 {
		t.Errorf("metrics: %d", code)
	}
	w.has("metrics", metrics, `prpflow_messages_total{fate="pushed",queue="inbox:dev-1"} 4`, `prpflow_books_imbalance{queue="inbox:dev-1"} 0`, "prpflow_bridge_up 1", `prpflow_mode{mode="redis"} 1`)
}

func TestMissingMessagesAreToldToTheOrchestratorOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(0, "send", "dev-1", "one")
	w.want(0, "send", "dev-1", "two")
	if err := w.redis.Client().RPop(t.Context(), "{q:inbox:dev-1}:pending").Err(); err != nil {
		t.Fatal(err)
	}
	env := []string{"PRPFLOW_AUDIT_EVERY=100ms", "PRPFLOW_ROLLBACK=tmux"}
	for _, name := range []string{"one", "two"} {
		w.startWith(env, name, "serve", "--listen", w.freeAddr())
	}
	w.eventually(patience, "the orchestrator is told", func() bool { return len(w.inbox("orchestrator")) > 0 })
	w.eventually(patience, "the switch is turned", func() bool { return strings.Contains(w.want(0, "mode").out, "tmux") })
	time.Sleep(500 * time.Millisecond)
	if got := w.inbox("orchestrator"); len(got) != 1 || !strings.Contains(got[0], "missing 1") || !strings.Contains(got[0], "inbox:dev-1") {
		t.Errorf("told %q", got)
	}
	w.has("mode", w.want(0, "mode").out, "guard", "imbalance")
}

func TestAMessageReachesACommandWithItsNextTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("do-developer", `cp "$PRPFLOW_TASK_FILE" "$STATE/task.json"`)
	w.want(0, "send", "dev-1", "mind the build")
	w.want(0, "send", "developer", "to one developer")
	w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...))
	w.want(0, "submit", w.doc("", "PRP-1"), "--wait")
	var task struct{ Messages []mail }
	w.decode(w.read("task.json"), &task)
	if len(task.Messages) != 2 || task.Messages[0].Message != "mind the build" || task.Messages[1].Message != "to one developer" {
		t.Errorf("the task file has the messages %+v", task.Messages)
	}
	w.eventually(patience, "the message is acknowledged", func() bool {
		return strings.Contains(w.want(0, "queue", "list", "--json").out, `"done": 1`)
	})
	w.wantInbox("dev-1")
}

func TestSlowConsumerKeepsItsMessageAndAKilledOneDoesNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	w.want(0, "send", "dev-1", "slow")
	w.want(0, "send", "dev-1", "next")
	taker := w.start("taker", "inbox", "dev-1", "--take", "--exec", "echo $$ >"+w.path("pid")+"; exec sleep 600")
	w.eventually(patience, "it works", func() bool { _, err := os.Stat(w.path("pid")); return err == nil })
	time.Sleep(8 * time.Second) // longer than a lease
	w.wantInbox("dev-1", "next")
	taker.signal(syscall.SIGKILL)
	w.eventually(10*time.Second, "it is back at the head", func() bool { return slices.Equal(w.inbox("dev-1"), []string{"slow", "next"}) })
}

func TestAnInboxThatIsDamagedOrFullHidesNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rdb := w.redis.Client()
	w.want(0, "send", "good", "hello")
	w.want(0, "send", "broken", "hello")
	if err := rdb.Del(t.Context(), "{q:inbox:broken}:pending").Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Set(t.Context(), "{q:inbox:broken}:pending", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"queue", "list"}, {"export", "-"}} {
		a := w.want(1, args...)
		w.has(strings.Join(args, " "), a.out, "inbox:good")
		w.has("its complaint", a.errout, "broken")
	}
	w.sentence(w.want(1, "inbox", "broken", "--take")) // at once, and not for ever
	rdb.Del(t.Context(), "{q:inbox:broken}:pending")

	if err := rdb.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil { // it takes no writes any more
		t.Fatal(err)
	}
	for _, args := range [][]string{{"inbox", "good"}, {"queue", "list"}, {"dlq", "list"}, {"mode"}, {"list"}, {"export", "-"}, {"queue", "purge", "inbox:good", "--yes"}} {
		w.want(0, args...)
	}
	w.sentence(w.want(1, "send", "good", "more"))
}

func TestAnOutcomeThatRedisDidNotHearIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(0, "send", "dev-1", "one")
	p := w.start("taker", "inbox", "dev-1", "--take", "--exec", "touch "+w.path("began")+"; until [ -e "+w.path("go")+" ]; do sleep 0.1; done")
	w.eventually(patience, "it works", func() bool { _, err := os.Stat(w.path("began")); return err == nil })
	w.redis.Kill()
	w.write("go", "")
	if code := p.ends(patience); code != 69 {
		t.Errorf("exit %d, want 69", code)
	}
	w.has("it says so", w.logs(), "delivered again")
	if a := w.runFor(20*time.Second, "inbox", "dev-1", "--take", "--wait", "1s"); a.code != 69 {
		t.Errorf("a take without Redis: exit %d", a.code)
	}
}

func TestASpooledMessageThatCannotBeSentHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	env := "PRPFLOW_MESSAGES_LIMIT=1"
	w.want(0, "send", "full", "one")
	w.redis.Kill()
	for _, text := range []string{"two", "three"} {
		w.want(0, "send", "full", text, "--spool-dir", w.path("spool"))
	}
	w.want(0, "send", "other", "four", "--spool-dir", w.path("spool"))
	w.redis.Restart()
	p := w.startWith([]string{env}, "drain", "spool", "drain", "--spool-dir", w.path("spool"))
	if code := p.ends(patience); code != 0 {
		t.Errorf("exit %d\n%s", code, w.logs())
	}
	w.wantInbox("full", "one")
	w.wantInbox("other", "four")
	w.has("dlq list", w.want(0, "dlq", "list", "--json").out, `"two"`, `"three"`, "full")
}

func TestWhatIsSaidToEverybodyIsInNoInbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if a := w.want(0, "inbox", "Broadcast", "--json"); strings.TrimSpace(a.out) != "[]" {
		t.Errorf("it shows %q", a.out)
	}
	w.want(2, "inbox", "broadcast", "--take")
	w.want(2, "send", "broadcast", "hello")
}
