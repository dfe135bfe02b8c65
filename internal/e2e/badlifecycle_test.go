package e2e

import "strings"

// lifecycleSlips break ownLifecycle.
var lifecycleSlips = []slip{
	{"an unknown state", "to: complete", "to: nowhere", "nowhere"},
	{"an unknown state that is left", "from: failed", "from: nowhere", "nowhere"},
	{"two edges for one event", "  - {event: fail,", "  - {event: accept, from: work, to: failed}\n  - {event: fail,", "second edge"},
	{"a state that is not reached", "  failed: {}", "  failed: {}\n  island: {}", "island"},
	{"a dead end", "  - {event: retry, from: failed, to: work, resets: true}\n  - {event: cancel, from: [new, work, failed]", "  - {event: cancel, from: [new, work]", "failed"},
	{"a guard that does not compile", "to: complete, by: person", "to: complete, by: person, guard: 'evidence.x >'", "does not compile"},
	{"a guard that is no condition", "to: complete, by: person", "to: complete, by: person, guard: 'attempt + 1'", "bool"},
	{"a guard with an unknown name", "to: complete, by: person", "to: complete, by: person, guard: 'weather.fine'", "weather"},
	{"a guard of ten thousand brackets", "to: complete, by: person", "to: complete, by: person, guard: '" + strings.Repeat("(", 10_000) + "'", "the guard"},
	{"a task for an unknown role", "role: developer, task", "role: gardener, task", "gardener"},
	{"a task for nobody", "role: developer, task", "task", "role"},
	{"an event called pause", "event: accept", "event: pause", "reserved"},
	{"an event called resume", "event: accept", "event: resume", "reserved"},
	{"an event called undepend", "event: accept", "event: undepend", "reserved"},
	{"an event called state", "event: accept", "event: state", "reserved"},
	{"a state called back", "  failed: {}", "  back: {}", "reserved"},
	{"a state without a name", "  failed: {}", "  '': {}", "name"},
	{"a state with a space", "  failed: {}", "  in review: {}", "in review"},
	{"no initial state", "initial: new\n", "", "initial"},
	{"an initial state that is not there", "initial: new", "initial: old", "old"},
	{"two initial states", "initial: new", "initial: [new, work]", "initial"},
	{"an initial state with a task", "initial: new", "initial: work", "task"},
	{"no success", ", success: true", "", "success"},
	{"a success that is not terminal", "terminal: true, success: true", "success: true", "terminal"},
	{"a terminal state that is left", "  failed: {}", "  failed: {terminal: true}", "terminal"},
	{"an unknown outcome", "done: accept,", "finished: accept,", "finished"},
	{"an outcome without an edge", "done: accept,", "done: applaud,", "applaud"},
	{"an outcome that only a person may fire", "approval: true, ", "", "person"},
	{"no word for what failed", ", failed: fail}", "}", "failed"},
	{"an unknown key", "initial: new", "initial: new\ncolour: red", "colour"},
	{"an unknown key of a state", "  failed: {}", "  failed: {colour: red}", "colour"},
	{"an unknown key of an edge", "auto: true", "auto: true, colour: red", "colour"},
	{"a state twice", "  failed: {}", "  failed: {}\n  failed: {}", "twice"},
	{"a key twice", "initial: new", "initial: new\ninitial: new", "twice"},
	{"a timeout without a unit", "approval: true", "approval: true, timeout: 30", "timeout"},
	{"a timeout that is negative", "approval: true", "approval: true, timeout: -1h", "timeout"},
	{"retries below nothing", "approval: true", "approval: true, retries: -1", "retries"},
	{"capacity of nothing", "approval: true", "approval: true, capacity: 0", "capacity"},
	{"an unknown priority", "approval: true", "approval: true, priority: P9", "P9"},
	{"approval perhaps", "approval: true", "approval: perhaps", "approval"},
	{"an unknown kind of actor", "by: person", "by: robot", "robot"},
	{"an edge to nowhere in particular", "to: complete, ", "", "edge"},
	{"an edge that is a text", "  - {event: begin, from: new, to: work, auto: true}", "  - begin", "edge"},
	{"automatic edges in a circle", "  - {event: fail,", "  - {event: round, from: failed, to: new, auto: true}\n  - {event: turn, from: new, to: failed, auto: true}\n  - {event: fail,", "automatic"},
	{"roles that are a group", "roles: [developer]", "roles: {developer: true}", "roles"},
	{"edges that are a group", "edges:", "edges: {}\nedges:", "edges"},
	{"a tab", "  new: {}", "\tnew: {}", "f.yaml:5"},
	{"a second document", "edges:", "---\nedges:", "second document"},
}

var lifecycleTexts = []struct{ what, text, says string }{
	{"comments only", "# later\n", "empty"},
	{"a list at the top", "[a, b]\n", "mapping"},
	{"a text at the top", "lifecycle\n", "mapping"},
	{"a name only", "name: a\n", "states"},
	{"states without a value", "name: a\nstates:\nedges:\n", "states"},
	{"no states", "name: a\nstates: {}\n", "states"},
	{"a bracket that never ends", "name: a\nroles: [b", "YAML"},
	{"an anchor that is nowhere", "name: *nobody\n", "nobody"},
	{"an anchor in a circle", "states: &a {a: *a}\nedges: []\n", "f.yaml"},
	{"a merge with itself", "states: &a {<<: *a}\nedges: []\n", "f.yaml"},
	{"forty thousand brackets", strings.Repeat("[", 40_000), "YAML"},
	{"forty thousand braces", strings.Repeat("{a: ", 40_000), "YAML"},
	{"aliases of aliases of aliases", laughs, "f.yaml"},
	{"aliases of aliases for states", strings.Replace(laughs, "agents:", "states:", 1), "f.yaml"},
	{"a thousand faults", "name: a\nstates:\n" + strings.Repeat("  - x\n", 1000), "states"},
	{"ten thousand edges to nowhere", "name: a\nroles: []\ninitial: a\nstates: {a: {}}\nedges:\n" + strings.Repeat("  - {event: e, from: a, to: b}\n", 10_000), "f.yaml"},
}

// badLifecycles are lifecycle files that cannot be used.
func badLifecycles() (rows []bad) {
	for _, s := range lifecycleSlips {
		rows = append(rows, bad{what: "a lifecycle with " + s.what, args: on("lifecycle check f.yaml"), name: "f.yaml", text: s.in(ownLifecycle), says: s.says, sibling: true})
	}
	for _, s := range lifecycleTexts {
		rows = append(rows, bad{what: "a lifecycle with " + s.what, args: on("lifecycle check f.yaml"), name: "f.yaml", text: s.text, says: s.says})
	}
	wrong := slip{old: "to: complete", new: "to: nowhere"}.in(ownLifecycle)
	return append(rows,
		bad{what: "a lifecycle with a fault is used", args: on("lifecycle use f.yaml"), name: "f.yaml", text: wrong, says: "nowhere"},
		bad{what: "a lifecycle with a fault is drawn", args: on("lifecycle diagram f.yaml"), name: "f.yaml", text: wrong, says: "nowhere"},
		bad{what: "a document is used as a lifecycle", args: on("lifecycle use {w}/PRP-1.md"), says: "PRP-1.md"},
		bad{what: "an agents file is used as a lifecycle", args: on("lifecycle use {w}/good.yaml"), says: "agents"},
		bad{what: "a lifecycle as an agents file", args: on("agent run --config f.yaml"), name: "f.yaml", text: ownLifecycle, says: "f.yaml"})
}
