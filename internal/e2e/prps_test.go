package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// shown are the fields of show --json that the tests look at.
type shown struct {
	ID         string   `json:"id"`
	State      string   `json:"state"`
	Priority   string   `json:"priority"`
	Attempt    int      `json:"attempt"`
	Paused     bool     `json:"paused"`
	Why        string   `json:"why"`
	DependsOn  []string `json:"depends_on"`
	BlockedBy  []string `json:"blocked_by"`
	Unresolved []string `json:"unresolved"`
}

// entry is one line of history --json.
type entry struct {
	At       string         `json:"at"`
	Event    string         `json:"event"`
	From     string         `json:"from"`
	To       string         `json:"to"`
	Actor    string         `json:"actor"`
	Reason   string         `json:"reason"`
	Job      string         `json:"job"`
	Evidence map[string]any `json:"evidence"`
}

func (w *world) show(id string) shown {
	w.t.Helper()
	var s shown
	w.decode(w.want(0, "show", id, "--json").out, &s)
	return s
}

// state is "" while the program cannot say, as during an outage.
func (w *world) state(id string) string {
	w.t.Helper()
	a := w.run("show", id, "--json")
	if a.code != 0 {
		return ""
	}
	var s shown
	w.decode(a.out, &s)
	return s.State
}

// reaches waits for a state.
func (w *world) reaches(id, state string) {
	w.t.Helper()
	last := ""
	ok := w.within(soon, func() bool { last = w.state(id); return last == state })
	if !ok {
		w.t.Fatalf("%s is %q after %s, want %s\n%s\n%s", id, last, soon, state, w.run("show", id, "--json").out, w.logs())
	}
}

// unfinished counts the PRPs that are not complete, -1 while nobody can say.
func (w *world) unfinished() int {
	w.t.Helper()
	a := w.run("list", "--json")
	if a.code != 0 {
		return -1
	}
	var all []shown
	w.decode(a.out, &all)
	n := 0
	for _, s := range all {
		if s.State != "complete" {
			n++
		}
	}
	return n
}

func (w *world) decode(text string, into any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		w.t.Fatalf("not JSON: %v\n%s", err, text)
	}
}

// doc writes a PRP that the strict lint accepts, and gives its file.
func (w *world) doc(dir, id string, dependsOn ...string) string {
	w.t.Helper()
	needs := "None"
	if len(dependsOn) > 0 {
		needs = strings.Join(dependsOn, ", ")
	}
	name := id + ".md"
	if dir != "" {
		name = dir + "/" + name
	}
	w.write(name, docText(id, needs))
	return w.path(name)
}

// docText is a PRP that the strict lint accepts.
func docText(id, needs string) string {
	return fmt.Sprintf("# %s - A test's request\n**Priority**: P1\n**Dependencies**: %s\n\n"+
		"## Goal\nBe carried to the end.\n\n## Success Criteria\n- [ ] It ends complete\n\n## Validation\n```bash\ntrue\n```\n", id, needs)
}

// submit gives in a PRP of that id; what the program remarked comes back.
func (w *world) submit(id string, dependsOn ...string) (remarks string) {
	w.t.Helper()
	return w.want(0, "submit", w.doc("", id, dependsOn...)).errout
}

// begins submits a PRP and waits until an agent runs it.
func (w *world) begins(id string) {
	w.t.Helper()
	w.submit(id)
	w.eventually(soon, "an agent runs "+id, func() bool { return w.runsOf(id) > 0 })
}

const someTime = 2 * time.Second // for nothing to happen in
