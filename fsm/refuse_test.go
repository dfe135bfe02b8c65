package fsm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/fsm"
)

// refusal breaks the small lifecycle: old becomes new, and the line that holds
// at is told with the sentence.
type refusal struct{ old, new, at, says string }

// structure: design, section 3, "Loading refuses".
var structure = []refusal{
	{"to: closed", "to: clsed", "to: clsed", `end leads to the unknown state "clsed"`},
	{"      - stopped", "      - stoped", "- stoped", `again leaves the unknown state "stoped"`},
	{"      - stopped", "      - '*'", "- '*'", `again leaves the unknown state "*"`},
	{"      - stopped", "      - stopped\n      - stopped", "- stopped\n    to", "a second edge for again from stopped, the first is in line 25"},
	{"event: stop,", "event: ask,", "event: ask, from: work, to: stopped", "a second edge for ask from work, the first is in line 20"},
	{"  asked: {}", "  asked: {}\n  lonely: {}", "lonely", "the state lonely cannot be reached from open"},
	{"  asked: {}", "  asked: {}\n  lonely: {terminal: true}", "lonely", "the state lonely cannot be reached from open"},
	{"event: again\n    from:\n      - stopped", "event: again\n    from: [asked]", "stopped: {}", "from the state stopped no terminal state can be reached"},
	{"    guard:\n      - evidence.good", "    guard:\n      - true\n      - evidence.good >", "- evidence.good >", `the guard "evidence.good >" does not compile: unexpected token EOF`},
	{"guard: prp.fit", "guard: pr.fit", "pr.fit", `the guard "pr.fit" does not compile: unknown name pr`},
	{"guard: prp.fit", "guard: attempt + 1", "attempt + 1", `the guard "attempt + 1" does not compile: expected bool, but got int`},
	{"guard: prp.fit", "guard: attempt > 'a'", "attempt > 'a'", `the guard "attempt > 'a'" does not compile: invalid operation: > (mismatched types int and string)`},
	{"guard: prp.fit", "guard: now().Year() > 2000", "now()", `the guard "now().Year() > 2000" does not compile: unknown name now`},
	{"role: worker", "role: wrker", "role: wrker", `the state work is for the role "wrker", which roles does not list`},
	{"roles: [worker]\n", "", "role: worker", `the state work is for the role "worker", which roles does not list`},
	{"    role: worker\n", "", "task: prp.work", "the state work has a task and no role to do it"},
	{"initial: open", "initial: opn", "initial: opn", `the initial state "opn" is not a state`},
	{"initial: open", "initial: work", "initial: work", "the initial state work has a task, which nobody would be given: begin in a state without one"},
	{"initial: open\n", "", "name: small", "a lifecycle needs initial, the state that a PRP begins in"},
	{"initial: open", "initial: [open, work]", "initial:", "initial is one text"},
	{"initial: open", "initial: open\ninitial: work", "initial: work", `a lifecycle has the key "initial" twice, the first is in line 3`},
	{"terminal: true, success: true", "success: true", "success: true", "the state closed is a success and not terminal"},
	{"stopped: {}", "stopped: {terminal: true}", "terminal: true}", "the state stopped is terminal and has edges that leave it"},
	{"{terminal: true, success: true}", "{terminal: true, role: worker, task: t}", "closed:", "the state closed is terminal and has a task"},
	{"to: work, auto: true, guard: prp.fit}", "to: stopped, auto: true}\n  - {event: round, from: stopped, to: open, auto: true}", "open: {}", "from the state open automatic edges without a guard lead back to it, for ever"},
}

// work: what the engine needs to give out a task and to go on from it.
var work = []refusal{
	{"done: end,", "done: ned,", "results:", `in the state work the outcome done gives the event "ned", for which it has no edge`},
	{"done: end,", "done: again,", "results:", `in the state work the outcome done gives the event "again", for which it has no edge`},
	{", failed: stop}", "}", "results:", "the state work has a task, so its results must say which event follows failed"},
	{"done: end,", "finished: end,", "finished:", `unknown outcome "finished": results has done, rejected, question, failed`},
	{"{done: end, question: ask, failed: stop}", "[end]", "results:", "results must be a mapping of keys to values"},
	{"task: prp.work", "task: prp.work\n    claim: start", "claim: start", `the state work has the claim event "start", for which it has no edge`},
	{"task: prp.work", "task: prp.work\n    claim: stop", "claim: stop", "the claim event stop leads from work to stopped, which must have the same task and role"},
	{"asked: {}", "asked: {claim: answer}", "asked:", "the state asked has a claim event and no task to pick up"},
	{"asked: {}", "asked: {results: {failed: answer}}", "asked:", "the state asked has results and no task to give them"},
	{"from: asked, to: back", "from: stopped, to: back", "asked: {}", "from the state asked no terminal state can be reached"},
	{"{event: begin, from: open, to: work", "{event: return, from: open, to: back}\n  - {event: begin, from: open, to: work", "to: back}", "return goes back from open, to which no state with a task leads"},
	{"{event: ask, from: work", "{event: return, from: work, to: back}\n  - {event: ask, from: work", "to: back}", "return goes back from work, to which no state with a task leads"},
}

// later: what the first version accepted and the engine works with.
var later = []refusal{
	{"guard: prp.fit", "guard: prp.aproved", "prp.aproved", `the guard "prp.aproved" does not compile: unknown field aproved: prp has id, title, state, priority, repo, revision, fit, unblocked`},
	{"- evidence.good", "- evidence.good\n      - evidence.good + 1", "good + 1", `the guard "evidence.good + 1" does not compile: expected bool, but got the result of +`},
	{"terminal: true, success: true", "terminal: true, success: true, deadline: 1h", "closed: {", "the state closed is terminal and has a deadline"},
	{"terminal: true, success: true", "terminal: true", "states:", "no state has success: true, so whatever depends on a PRP would wait forever"},
	{"    results: {done: end, ", "    approval: true\n    results: {", "approval", "the state work has approval, and its results have no done that a person could approve"},
	{"asked: {}", "asked: {approval: true}", "asked:", "the state asked has approval and no task whose result a person could approve"},
	{"asked: {}", "asked: {capacity: 1}", "asked:", "the state asked has capacity and no task to apply it to"},
	{"asked: {}", "asked: {role: worker}", "asked:", "the state asked has role and no task to apply it to"},
	{"asked: {}", "asked: {timeout: 1h}", "asked:", "the state asked has timeout and no task to apply it to"},
	{"asked: {}", "asked: {retries: 0}", "asked:", "the state asked has retries and no task to apply it to"},
	{"asked: {}", "asked: {retry_delay: 1s}", "asked:", "the state asked has retry_delay and no task to apply it to"},
	{"asked: {}", "asked: {priority: P1}", "asked:", "the state asked has priority and no task to apply it to"},
	{"asked: {}", "asked: {max_rejections: 2}", "asked:", "the state asked has max_rejections and no task to apply it to"},
	{"role: worker", "role: worker\n    capacity: 0", "capacity", "capacity is a whole number, 1 or more"},
	{"role: worker", "role: worker\n    max_rejections: 0", "max_rejections", "max_rejections is a whole number, 1 or more"},
	{"role: worker", "role: worker\n    timeout: 0s", "timeout", "timeout is a duration of more than 0, such as 30s, 15m or 2h"},
	{"role: worker", "role: worker\n    retry_delay: 0", "retry_delay", "retry_delay is a duration of more than 0, such as 30s, 15m or 2h"},
	{"resets: true", "by: []", "by: []", "by is an empty list: leave it out where anybody may fire the edge"},
}

// firing: a gate that is kept for one kind of actor is not passed by another.
var firing = []refusal{
	{"      - evidence.good", "      - evidence.good\n    by: person", "results:", "in the state work the outcome done fires end, which an agent may not fire: line 20 says by person"},
	{"to: asked}", "to: asked, by: [person, engine]}", "results:", "in the state work the outcome question fires ask, which an agent may not fire: line 20 says by person, engine"},
	{"to: stopped}", "to: stopped, by: person}", "results:", "in the state work the outcome failed fires stop, which neither an agent nor the engine may fire: line 22 says by person"},
	{"to: stopped}", "to: stopped, guard: prp.fit}", "event: stop", "stop follows the outcome failed of work, so it has no guard: the engine must be able to fire it"},
	{"auto: true, guard: prp.fit}", "auto: true, guard: prp.fit, by: [agent, person]}", "event: begin", "begin is auto, but the engine may not fire it: line 14 says by agent, person"},
	{"auto: true, guard: prp.fit}", "auto: true, guard: evidence.good == nil}", "event: begin", `begin is auto, and the engine has no evidence: the guard "evidence.good == nil" looks at nothing else`},
	{"resets: true", "auto: true\n    guard: attempt < 3\n    resets: true", "resets: true", "again is auto and resets: a limit that the engine resets by itself is never reached"},
	{"to: asked}", "to: asked, auto: true}", "event: ask", "ask is auto and has no guard, so the task of work would never be done"},
}

// words: names, keys and values.
var words = []refusal{
	{"event: answer", "event: pause", "event: pause", `the name "pause" is reserved, no event may have it`},
	{"event: answer", "event: resume", "event: resume", `the name "resume" is reserved, no event may have it`},
	{"event: answer", "event: undepend", "event: undepend", `the name "undepend" is reserved, no event may have it`},
	{"event: answer", "event: state", "event: state", `the name "state" is reserved, no event may have it`},
	{"event: answer", "event: event", "event: event", `the name "event" is reserved, no event may have it`},
	{"asked: {}", "back: {}", "back: {}", `the name "back" is reserved, no state may have it`},
	{"asked: {}", "state: {}", "state: {}", `the name "state" is reserved, no state may have it`},
	{"asked: {}", "'': {}", "'': {}", "a state needs a name"},
	{"asked: {}", "in review: {}", "in review", `the state name "in review": use letters, digits, dot, dash and underscore, beginning with a letter or digit`},
	{"event: answer", "event: 'a b'", "a b", `the event name "a b": use letters, digits, dot, dash and underscore, beginning with a letter or digit`},
	{"roles: [worker]", "roles: [worker, 'a:b']", "roles", `the role name "a:b": use letters, digits, dot, dash and underscore, beginning with a letter or digit`},
	{"task: prp.work", "task: -work", "-work", `the task name "-work": use letters, digits, dot, dash and underscore, beginning with a letter or digit`},
	{"name: small", "nmae: small", "nmae", `unknown key "nmae": a lifecycle has name, roles, initial, states, edges`},
	{"role: worker", "rolle: worker", "rolle", `unknown key "rolle" in the state work: a state has role, task, claim, results, timeout, retries, retry_delay, deadline, priority, max_rejections, approval, capacity, terminal, success`},
	{"resets: true", "reset: true", "reset: true", `unknown key "reset" in an edge: it has event, from, to, by, auto, guard, resets`},
	{"asked: {}", "asked: {}\n  open: {}", "open: {}\n  stopped", `states has the key "open" twice, the first is in line 5`},
	{"to: closed", "to: closed\n    to: asked", "to: asked", `an edge has the key "to" twice, the first is in line 17`},
	{"role: worker", "timeout: 30", "timeout", "timeout is a duration of more than 0, such as 30s, 15m or 2h"},
	{"role: worker", "retry_delay: soon", "retry_delay", "retry_delay is a duration of more than 0, such as 30s, 15m or 2h"},
	{"role: worker", "deadline: -1h", "deadline", "deadline is a duration of more than 0, such as 30s, 15m or 2h"},
	{"role: worker", "deadline: [1h]", "deadline", "deadline is a duration of more than 0, such as 30s, 15m or 2h"},
	{"role: worker", "retries: -1", "retries", "retries is a whole number, 0 or more"},
	{"role: worker", "retries: 1.5", "retries", "retries is a whole number, 0 or more"},
	{"role: worker", "capacity: many", "capacity", "capacity is a whole number, 1 or more"},
	{"role: worker", "capacity: -1", "capacity", "capacity is a whole number, 1 or more"},
	{"role: worker", "max_rejections:", "max_rejections", "max_rejections is a whole number, 1 or more"},
	{"role: worker", "approval: perhaps", "approval", "approval is true or false"},
	{"role: worker", "approval:", "approval", "approval is true or false"},
	{"role: worker", "priority: urgent", "priority", `priority "urgent": use P0, P1, P2, P3`},
	{"resets: true", "by:\n      - agent\n      - robot", "- robot", `by "robot": use agent, person or engine`},
	{"role: worker", "role:", "role:", "role is one text"},
	{"to: closed", "to: {closed: 1}", "to: {closed", "to is one text"},
	{"from: asked,", "", "event: answer", "an edge needs event, from and to"},
	{"from: asked,", "from: [],", "event: answer", "an edge needs event, from and to"},
	{"from: asked,", "from: [[asked]],", "event: answer", "an entry of from is one text"},
	{"- evidence.good", "-", "      -\n", "an entry of guard is one text"},
	{"  - {event: ask, from: work, to: asked}", "  - ask", "  - ask", "an edge must be a mapping of keys to values"},
	{"asked: {}", "asked: 5", "asked: 5", "the state asked must be a mapping of keys to values"},
}

func TestLifecycleThatMakesNoSenseIsRefusedWithItsLine(t *testing.T) {
	t.Parallel()
	refuses(t, small, map[string][]refusal{"structure": structure, "work": work, "later": later, "firing": firing, "words": words})
}

// refuses breaks a lifecycle that loads in each of the ways.
func refuses(t *testing.T, whole string, groups map[string][]refusal) {
	t.Helper()
	load(t, whole)
	for name, group := range groups {
		for i, r := range group {
			t.Run(fmt.Sprintf("%s/%d %s", name, i, r.at), func(t *testing.T) {
				t.Parallel()
				source := edit(t, whole, r.old, r.new)
				_, err := fsm.Parse("small.yaml", []byte(source))
				r.isToldBy(t, source, err)
			})
		}
	}
}

// isToldBy wants the refusal's sentence at its line among the problems.
func (r refusal) isToldBy(t *testing.T, source string, err error) {
	t.Helper()
	var refused *fsm.LoadError
	if !errors.As(err, &refused) {
		t.Fatalf("it loads (error %v)", err)
	}
	want := fmt.Sprintf("small.yaml:%d: %s", lineOf(t, source, r.at), r.says)
	if !strings.Contains("\n"+refused.Error()+"\n", "\n"+want+"\n") {
		t.Errorf("it says\n%s\nwant\n%s", refused, want)
	}
}

func TestFileThatIsNoLifecycleIsRefused(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                              "f:1: the file is empty",
		"# nothing\n":                   "f:1: the file is empty",
		"[a, b]":                        "f:1: a lifecycle must be a mapping of keys to values",
		"\n\nlifecycle":                 "f:3: a lifecycle must be a mapping of keys to values",
		"name: a\nroles: [b":            "f:2: not YAML: did not find expected ',' or ']'",
		"name: a\n\tinitial: b":         "f:2: not YAML: found a tab character that violates indentation",
		"name: a\nstates: {\n  a: {}\n": "f:2: not YAML: did not find expected ',' or '}'",
		"name: a\nroles: b\n- c":        "f:3: not YAML: did not find expected key",
		"name: a\nroles:\n  - b\n c":    "f:4: not YAML: did not find expected key",
		"name: *nobody":                 "f:1: not YAML: unknown anchor 'nobody' referenced",
		"name: a\nstates:\nedges:\n":    "f:2: states must be a mapping of keys to values",
		"name: a\nstates: {}":           "f:2: a lifecycle needs states",
		"name: a":                       "f:1: a lifecycle needs states",
		"name: a\n---\nname: b":         "f:2: a second document begins here, a file holds one lifecycle",
		"name: a\n---\nname: [b":        "f:3: not YAML: did not find expected ',' or ']'",
		"edges: {a: b}":                 "f:1: edges is a list",
	} {
		_, err := fsm.Parse("f", []byte(source))
		if err == nil || !strings.Contains(err.Error()+"\n", want+"\n") {
			t.Errorf("%q gives %v, want %s", source, err, want)
		}
	}
}

// A person mends a file in one go, from top to bottom.
func TestAllFaultsAreToldInTheOrderOfTheirLines(t *testing.T) {
	t.Parallel()
	source := edit(t, small, "role: worker", "rolle: worker")
	source = edit(t, source, "name: small", "nmae: small")
	source = edit(t, source, "guard: prp.fit", "guard: (")
	_, err := fsm.Parse("f", []byte(source))
	var refused *fsm.LoadError
	if !errors.As(err, &refused) || len(refused.Problems) != 3 {
		t.Fatalf("it says %v", err)
	}
	for i, at := range []string{"nmae", "rolle", "guard: ("} {
		if got := refused.Problems[i].Line; got != lineOf(t, source, at) {
			t.Errorf("problem %d is in line %d: %s", i, got, refused.Problems[i].Text)
		}
	}
}

func TestFaultOfAnEdgeFromManyStatesIsToldOnce(t *testing.T) {
	t.Parallel()
	_, err := fsm.Parse("f", []byte(edit(t, small, "from: asked, to: back", "from: [asked, stopped, open], to: nowhere")))
	if err == nil || strings.Count(err.Error(), "nowhere") != 1 {
		t.Errorf("it says %v", err)
	}
}

// Whatever is in a file, it is a lifecycle or refused at lines that it has.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("a: &a [*a]\n? [b]\n: <<"))
	f.Add([]byte("states: {a: {results: {done: *x}}}\nedges: [{event: &x e, from: [*x], to: *x}]"))
	f.Fuzz(func(t *testing.T, source []byte) {
		if len(source) > 64<<10 { // longer ones are tested by name
			return
		}
		l, err := fsm.Parse("f", source)
		var refused *fsm.LoadError
		switch {
		case err == nil:
			if string(l.Source()) != string(source) {
				t.Error("the source is another")
			}
			if _, err := fsm.ParseStored("f", source); err != nil {
				t.Errorf("what an author may use is not read back: %v", err)
			}
		case !errors.As(err, &refused) || len(refused.Problems) == 0:
			t.Errorf("the error is %v", err)
		default:
			for _, p := range refused.Problems {
				if p.Line < 1 || p.Line > strings.Count(string(source), "\n")+strings.Count(string(source), "\r")+2 || p.Text == "" {
					t.Errorf("line %d: %q", p.Line, p.Text)
				}
			}
		}
	})
}
