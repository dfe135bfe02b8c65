package e2e

import (
	"strings"
)

// oneAgent is a good agents file; rows break it in one place.
const oneAgent = `agents:
  - name: dev-1
    role: developer
    concurrency: 1
    gone_after: 6s
    exec:
      command: ["true"]
      prompt: file
      profile: exit-code
      timeout: 30m
      idle_timeout: 15m
      grace: 5s
      retries: 3
      retry_delay: 10s
      env: {KEY: value}
`

// slip is a place of a file that is written wrongly.
type slip struct{ what, old, new, says string }

var agentSlips = []slip{
	{"an unknown key", "role:", "rolle:", "rolle"},
	{"an unknown key of exec", "grace:", "gracious:", "gracious"},
	{"an unknown key at the top", "agents:", "agnets:", "agnets"},
	{"a key twice", "role: developer", "role: developer\n    role: validator", "role"},
	{"no name", "name: dev-1", "name:", "name"},
	{"a name with a space", "name: dev-1", "name: dev 1", "dev 1"},
	{"a name with a slash", "name: dev-1", "name: dev/1", "dev/1"},
	{"a name with an umlaut", "name: dev-1", "name: dév", "dév"},
	{"a name of 64 letters", "name: dev-1", "name: " + strings.Repeat("x", 64), "xxx"},
	{"the name of everybody", "name: dev-1", "name: broadcast", "everybody"},
	{"a name that is a list", "name: dev-1", "name: [dev-1]", "name"},
	{"no role", "role: developer", "role:", "role"},
	{"a role that the lifecycle has not", "role: developer", "role: gardener", "gardener"},
	{"a role that is a group", "role: developer", "role: {developer: true}", "role"},
	{"concurrency of a half", "concurrency: 1", "concurrency: 1.5", "concurrency"},
	{"concurrency below nothing", "concurrency: 1", "concurrency: -1", "-1"},
	{"concurrency of a thousand million", "concurrency: 1", "concurrency: 1000000000", "1000"},
	{"concurrency as a power", "concurrency: 1", "concurrency: 1e9", "concurrency"},
	{"concurrency in words", "concurrency: 1", "concurrency: one", "concurrency"},
	{"concurrency beyond a computer's", "concurrency: 1", "concurrency: 99999999999999999999", "concurrency"},
	{"concurrency that is true", "concurrency: 1", "concurrency: true", "concurrency"},
	{"gone_after without a unit", "gone_after: 6s", "gone_after: 6", "gone_after"},
	{"gone_after that is too small", "gone_after: 6s", "gone_after: 2s", "3s"},
	{"gone_after that is negative", "gone_after: 6s", "gone_after: -6s", "gone_after"},
	{"gone_after that is a word", "gone_after: 6s", "gone_after: soon", "soon"},
	{"gone_after that is a list", "gone_after: 6s", "gone_after: [6s]", "gone_after"},
	{"no command", "command: [\"true\"]", "command: []", "command"},
	{"an empty command", "command: [\"true\"]", "command: [\"\"]", "command"},
	{"a blank command", "command: [\"true\"]", "command: [\" \"]", "command"},
	{"a command that is one text", "command: [\"true\"]", "command: \"true\"", "command"},
	{"a command with a list in it", "command: [\"true\"]", "command: [[a], b]", "command"},
	{"a command with NUL", "command: [\"true\"]", "command: [\"true\", \"a\\0b\"]", "NUL"},
	{"a command with a broken template", "command: [\"true\"]", "command: [\"true\", \"{{.PRP.ID\"]", "{{.PRP.ID"},
	{"a command with an unknown field", "command: [\"true\"]", "command: [\"true\", \"{{.PRP.Colour}}\"]", "Colour"},
	{"an unknown prompt", "prompt: file", "prompt: telepathy", "telepathy"},
	{"an unknown profile", "profile: exit-code", "profile: guess", "guess"},
	{"a profile that is to come", "profile: exit-code", "profile: claude-stream", "claude-stream"},
	{"timeout without a unit", "timeout: 30m", "timeout: 30", "timeout"},
	{"timeout that is negative", "timeout: 30m", "timeout: -30m", "timeout"},
	{"timeout beyond the end of time", "timeout: 30m", "timeout: 9999999999h", "timeout"},
	{"idle_timeout in days", "idle_timeout: 15m", "idle_timeout: 2d", "idle_timeout"},
	{"grace that is a number", "grace: 5s", "grace: 5", "grace"},
	{"retries below nothing", "retries: 3", "retries: -1", "retries"},
	{"retries of a half", "retries: 3", "retries: 0.5", "retries"},
	{"retries in words", "retries: 3", "retries: thrice", "retries"},
	{"retry_delay without a unit", "retry_delay: 10s", "retry_delay: 10", "retry_delay"},
	{"a variable with = in its name", "env: {KEY: value}", "env: {A=B: value}", "A=B"},
	{"a variable without a name", "env: {KEY: value}", "env: {\"\": value}", "env"},
	{"a variable with NUL", "env: {KEY: value}", "env: {KEY: \"a\\0b\"}", "NUL"},
	{"variables that are a list", "env: {KEY: value}", "env: [KEY=value]", "env"},
	{"a variable that is a group", "env: {KEY: value}", "env: {KEY: {a: b}}", "KEY"},
	{"two kinds", "    exec:", "    builtin: approve\n    exec:", "exactly one"},
	{"a builtin that is not known", "      env: {KEY: value}", "  - {name: b, role: developer, builtin: nap}", "nap"},
	{"a builtin with a delay without a unit", "      env: {KEY: value}", "  - {name: b, role: developer, builtin: sleep, delay: 5}", "delay"},
	{"no kind", "      env: {KEY: value}", "  - {name: b, role: developer}", "exactly one"},
	{"two agents of one name", "      env: {KEY: value}", "  - {name: dev-1, role: developer, builtin: approve}", "dev-1"},
	{"two agents whose names differ in case", "      env: {KEY: value}", "  - {name: DEV-1, role: developer, builtin: approve}", "dev-1"},
	{"a pane without a name", "      env: {KEY: value}", "  - {name: b, role: developer, tmux: {socket: x}}", "pane"},
	{"a pane for two at a time", "      env: {KEY: value}", "  - {name: b, role: developer, concurrency: 2, tmux: {pane: \"a:b\"}}", "pane"},
	{"a repository that is not there", "      env: {KEY: value}", "    repo: {path: ../nowhere-at-all}", "nowhere-at-all"},
	{"a repository that is a file", "      env: {KEY: value}", "    repo: {path: agents.yaml}", "agents.yaml"},
	{"a repository as a text", "      env: {KEY: value}", "    repo: ../service", "repo"},
	{"worktrees", "      env: {KEY: value}", "    repo: {path: ., worktree: true}", "worktree"},
	{"a second document", "      env: {KEY: value}", "---\nagents: []", "second document"},
	{"a tab", "    role:", "\trole:", "tab"},
	{"a quote that never ends", "name: dev-1", "name: \"dev-1", "agents.yaml"},
	{"an anchor that is nowhere", "role: developer", "role: *nobody", "nobody"},
}

var agentTexts = []struct{ what, text, says string }{
	{"no agents", "agents: []\n", "no agents"},
	{"the key agents without a value", "agents:\n", "no agents"},
	{"comments only", "# later\n", "no agents"},
	{"a list at the top", "- {name: dev-1, role: developer, builtin: approve}\n", "agents"},
	{"a text at the top", "developer\n", "agents"},
	{"a group for the list", "agents: {name: dev-1, role: developer, builtin: approve}\n", "agents"},
	{"an agent that is a text", "agents: [dev-1]\n", "agents.yaml:1"},
	{"an agent that is nothing", "agents: [~]\n", "no agents"},
	{"JSON that breaks off", `{"agents": [{"name": "dev-1"`, "agents.yaml"},
	{"forty thousand brackets", strings.Repeat("[", 40_000), "agents.yaml"},
	{"forty thousand braces", strings.Repeat("{a: ", 40_000), "agents.yaml"},
	{"forty thousand dashes", strings.Repeat("- ", 40_000), "agents.yaml"},
	{"aliases of aliases of aliases", laughs, "agents.yaml"},
	{"aliases in a circle", "agents: &a [*a]\n", "agents.yaml"},
	{"a merge with itself", "agents: [&a {<<: *a, name: b}]\n", "agents.yaml"},
	{"a mark of byte order and no more", "\xef\xbb\xbf", "agents.yaml"},
	{"a shell script", "#!/bin/sh\nif true; then echo {a; fi\n", "agents.yaml"},
}

// badAgents are agents files that cannot be used.
func badAgents() (rows []bad) {
	add := func(what, text, says string) {
		rows = append(rows, bad{what: "an agents file with " + what, args: on("agent run"), name: "agents.yaml", text: text, says: says})
	}
	for _, s := range agentSlips {
		add(s.what, s.in(oneAgent), s.says)
		rows[len(rows)-1].sibling = true // agents has them all
	}
	for _, s := range agentTexts {
		add(s.what, s.text, s.says)
	}
	return append(rows,
		bad{what: "serve with an agents file with an unknown role", args: on("serve --listen 127.0.0.1:0 --agents agents.yaml"), name: "agents.yaml",
			text: strings.Replace(oneAgent, "role: developer", "role: gardener", 1), says: "gardener"},
		bad{what: "agent run where there is no agents file", args: on("agent run"), says: "agents.yaml"},
		bad{what: "an agents file as an argument", args: on("agent run {w}/good.yaml"), says: "good.yaml"},
		bad{what: "the same agent twice in --only", args: on("agent run --config {w}/good.yaml --only dev-1,dev-1"), says: "dev-1"})
}

// in puts the slip into a text.
func (s slip) in(text string) string {
	if strings.Count(text, s.old) < 1 {
		panic("no place for a slip: " + s.old)
	}
	return strings.Replace(text, s.old, s.new, 1)
}
