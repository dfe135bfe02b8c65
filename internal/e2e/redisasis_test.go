package e2e

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write docs/redis-as-it-is.md anew")

const asItIs = "../../docs/redis-as-it-is.md"

// What a Redis in trouble makes of each verb is what the page says, word for word:
// go test ./internal/e2e -run RedisAsItIs -update
func TestThePageOnRedisAsItIsTellsTheTruth(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	told := map[string]string{}
	t.Run("states", func(t *testing.T) {
		for _, s := range conditions {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				text := s.tell(t)
				mu.Lock()
				defer mu.Unlock()
				told[s.name] = text
			})
		}
	})
	if t.Failed() || len(told) < len(conditions) { // some are skipped, or were left out by -run
		return
	}
	var page strings.Builder
	page.WriteString(asItIsHead)
	for _, s := range conditions {
		page.WriteString("\n" + told[s.name])
	}
	if *update {
		ok(t, os.WriteFile(asItIs, []byte(page.String()), 0o644))
		return
	}
	written, err := os.ReadFile(asItIs)
	ok(t, err)
	if string(written) != page.String() {
		t.Errorf("docs/redis-as-it-is.md is not what the program does; with -update it becomes\n%s", page.String())
	}
}

const asItIsHead = `# What prpflow says and does while Redis is in trouble

This page is written by a test (` + "`go test ./internal/e2e -run RedisAsItIs -update`" + `), which puts a real redis-server into each state and runs the program. HOST:PORT stands for its address.

- A refusal of Redis is exit 1 and one sentence that says what to do. Exit 69 means that no Redis answers, and nothing else.
- Verbs that look work wherever Redis lets them read.
- ` + "`serve`" + ` and ` + "`agent run`" + ` wait for what passes, log once what they wait for, and go on by themselves. What does not pass ends them at once.
`

// tell puts a Redis into the state and writes down what the program does.
func (s condition) tell(t *testing.T) string {
	w := newWorld(t)
	w.submit("PRP-1")
	file := w.doc("", "PRP-2")
	team := w.agentsFile("team", 1, "dev-1:developer")
	in := s.bring(w)
	if in.address != "" {
		w.env = append(w.env, "PRPFLOW_REDIS="+in.address)
	}
	var page strings.Builder
	fmt.Fprintf(&page, "## %s\n\n%s\n\n| command | outcome | what it says |\n|---|---|---|\n", s.title, s.about)
	for _, v := range []struct {
		shown string
		args  []string
	}{
		{"list", on("list")}, {"show ID", on("show PRP-1")}, {"submit FILE", []string{"submit", file}}, {"cancel ID", on("cancel PRP-1")},
	} {
		a := w.run(v.args...)
		if a.code == 69 {
			t.Errorf("%s: a refusal is no outage: %s", v.shown, a.errout)
		}
		said := ""
		if a.code != 0 {
			w.sentence(a)
			said = strings.TrimPrefix(strings.TrimSpace(a.errout), "prpflow: ")
		}
		fmt.Fprintf(&page, "| `%s` | exit %d | %s |\n", v.shown, a.code, w.plainly(said))
	}
	addr := w.freeAddr()
	serve := &long{name: "serve", ready: "prpflow serves", p: w.start("serve", "serve", "--listen", addr)}
	agents := &long{name: "agent run", ready: "agents are ready", p: w.start("agents", "agent", "run", "--config", team), log: "agents.log"}
	serve.log = "serve.log"
	for _, l := range []*long{serve, agents} {
		outcome, said := l.becomes(w)
		if outcome == "waits" != (in.passes != nil) {
			t.Errorf("%s %s: %s", l.name, outcome, said)
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", l.name, outcome, w.plainly(said))
	}
	if in.passes == nil {
		return page.String()
	}
	in.passes()
	for _, l := range []*long{serve, agents} {
		w.eventually(soon, l.name+" goes on when it has passed", func() bool { return l.has(w, l.ready) })
		reasons := map[string]bool{}
		for _, reason := range waiting.FindAllString(w.read(l.log), -1) {
			if reasons[reason] {
				t.Errorf("%s says more than once: %s", l.name, reason)
			}
			reasons[reason] = true
		}
	}
	return page.String()
}

// plainly is a sentence as the page has it.
func (w *world) plainly(said string) string {
	return strings.NewReplacer(w.redis.Addr, "HOST:PORT", "|", `\|`).Replace(said)
}

// long is a process that goes on.
type long struct {
	name, ready, log string
	p                *process
}

func (l *long) has(w *world, text string) bool { return strings.Contains(w.read(l.log), text) }

var (
	waiting = regexp.MustCompile(`msg="waiting for Redis" reason="(?:[^"\\]|\\.)*"`)
	warning = regexp.MustCompile(`level=WARN msg=("(?:[^"\\]|\\.)*")`)
)

// becomes says what the process does at first: it waits, is ready or ends.
func (l *long) becomes(w *world) (outcome, said string) {
	w.eventually(soon, l.name+" waits, is ready or ends", func() bool {
		return !l.p.running() || l.has(w, l.ready) || l.has(w, "waiting for Redis")
	})
	text := w.read(l.log)
	switch {
	case l.has(w, "waiting for Redis"):
		_, reason, _ := strings.Cut(waiting.FindString(text), "reason=")
		return "waits", unquoted(reason)
	case l.has(w, l.ready):
		if m := warning.FindStringSubmatch(text); m != nil {
			return "is ready", "warns: " + unquoted(m[1])
		}
		return "is ready", ""
	}
	code := l.p.ends(soon)
	last := strings.TrimSpace(text)
	last = last[strings.LastIndex(last, "\n")+1:]
	if !strings.HasPrefix(last, "prpflow: ") || strings.Count(text, "prpflow: ") != 1 {
		w.t.Errorf("%s ends with %d and no sentence:\n%s", l.name, code, text)
	}
	return fmt.Sprintf("exit %d", code), strings.TrimPrefix(last, "prpflow: ")
}

func unquoted(text string) string {
	plain, err := strconv.Unquote(text)
	if err != nil {
		return text
	}
	return plain
}
