package e2e

import "strings"

// oddIDs are texts that no PRP can be called.
var oddIDs = map[string]string{
	"a slash": "a/b", "a space": "PRP 1", "a control character": "PRP-\x01", "a line break": "PRP-1\nPRP-2", "umlauts": "PRP-ü", "two dots": "..",
	"a star": "*", "a hash tag of Redis": "{PRP-1}", "a comma": "PRP-1,PRP-2", "129 letters": strings.Repeat("x", 129),
	"a hundred thousand letters": strings.Repeat("x", 100_000), "bytes that are not UTF-8": "PRP-\xff",
}

// oddNames are texts that no agent can be called.
var oddNames = map[string]string{
	"a space": "dev 1", "a slash": "dev/1", "a colon": "dev:1", "umlauts": "dév", "64 letters": strings.Repeat("x", 64), "an underscore first": "_dev",
	"a line break": "dev\n1", "the name of everybody": "broadcast",
}

// badNames are ids, names of agents, queues, modes, lanes and the like that are none.
func badNames() (rows []bad) {
	for _, line := range []string{
		"trigger ID cancel", "approve ID", "reject ID", "answer ID text", "retry ID", "cancel ID", "pause ID", "resume ID", "undepend ID",
		"show ID", "history ID", "logs ID", "watch ID", "show ID --json", "history ID --json", "logs ID --json", "watch ID --json",
	} {
		rows = append(rows, bad{what: line + " of an unknown PRP", args: on(strings.Replace(line, "ID", "PRP-9999", 1)), code: 3, says: "PRP-9999"},
			bad{what: line + " with an id like a flag", args: on(strings.Replace(line, "ID", "-PRP-1", 1)), says: "flag", sibling: true})
	}
	rows = append(rows, bad{what: "watch of a known and an unknown PRP", args: on("watch PRP-1 PRP-9999"), code: 3, says: "PRP-9999"},
		bad{what: "an id in the wrong case", args: on("show prp-1"), code: 3, says: "prp-1"})
	for odd, id := range oddIDs {
		rows = append(rows,
			bad{what: "show of an id with " + odd, args: []string{"show", id}, code: 3},
			bad{what: "cancel of an id with " + odd, args: []string{"cancel", id}, code: 3, sibling: true},
			bad{what: "submit with an id with " + odd, args: []string{"submit", "{w}/PRP-1.md", "--id", id}, says: "id"},
			bad{what: "dlq show of an id with " + odd, args: []string{"dlq", "show", id}, code: 3, sibling: true})
	}
	for odd, name := range oddNames {
		look := []string{"inbox", name}
		if name == "broadcast" { // which may be looked at, and is empty
			look = append(look, "--take")
		}
		rows = append(rows,
			bad{what: "inbox of a name with " + odd, args: look, says: "name"},
			bad{what: "send to a name with " + odd, args: []string{"send", name, "hello"}, says: "name"},
			bad{what: "mode of a name with " + odd, args: []string{"mode", "set", "redis", "--agent", name}, says: "name", sibling: true},
			bad{what: "pause of the inbox of a name with " + odd, args: []string{"queue", "pause", "inbox:" + name}, says: "name", sibling: true})
	}
	return append(rows,
		bad{what: "an unknown queue is paused", args: on("queue pause agent:nobody"), code: 3, says: "queue list"},
		bad{what: "an unknown queue is resumed", args: on("queue resume role:nobody"), code: 3, says: "queue list"},
		bad{what: "an unknown queue is drained", args: on("queue drain agent:nobody"), code: 3, says: "queue list"},
		bad{what: "a queue of tasks is purged", args: on("queue purge agent:dev-1 --yes"), says: "cancel"},
		bad{what: "an inbox is purged without --yes", args: on("queue purge inbox:dev-1"), says: "--yes"},
		bad{what: "an inbox without a name is purged", args: on("queue purge inbox: --yes"), says: "name"},
		bad{what: "dead letters of a queue of tasks are replayed", args: on("dlq replay --all agent:dev-1"), says: "inbox:"},
		bad{what: "dead letters of an odd inbox are replayed", args: with("dlq replay --all", "inbox:a b"), says: "name"},
		bad{what: "an unknown dead letter is replayed", args: on("dlq replay m-9"), code: 3, says: "dlq list"},
		bad{what: "an unknown dead letter is dropped", args: on("dlq drop m-9"), code: 3, says: "dlq list"},
		bad{what: "replay of all and of one", args: on("dlq replay m-9 --all inbox:dev-1"), says: "m-9"},
		bad{what: "a message that is not dead is replayed", args: on("dlq replay m-1"), code: 3, says: "m-1"},
		bad{what: "an unknown mode", args: on("mode set pigeon"), says: "pigeon"},
		bad{what: "a mode in capitals and with a space", args: with("mode set", " REDIS x"), says: "REDIS"},
		bad{what: "the default mode for everybody", args: on("mode set default"), says: "default"},
		bad{what: "an unknown mode for one agent", args: on("mode set pigeon --agent dev-1"), says: "pigeon"},
		bad{what: "an unknown mode in the environment", args: on("mode"), env: on("AGENT_COORDINATION_MODE=pigeon"), says: "pigeon"},
		bad{what: "serve with an unknown mode in the environment", args: on("serve --listen 127.0.0.1:0"), env: on("AGENT_COORDINATION_MODE=pigeon"), says: "pigeon"},
		bad{what: "agent run with an unknown mode in the environment", args: on("agent run --config {w}/good.yaml"), env: on("AGENT_COORDINATION_MODE=pigeon"), says: "pigeon"},
		bad{what: "an unknown lane", args: on("export - --lane fast"), says: "fast"},
		bad{what: "an unknown format of a diagram", args: on("lifecycle diagram --format png"), says: "png"},
		bad{what: "a format of a diagram in capitals", args: on("lifecycle diagram --format DOT"), says: "DOT"},
		bad{what: "an unknown rule is explained", args: on("lint --explain frobnicate"), says: "frobnicate"},
		bad{what: "a rule is explained and a file is read", args: on("lint --explain no-criteria {w}/PRP-1.md"), says: "--explain"},
		bad{what: "a template and a file", args: on("lint --template {w}/PRP-1.md"), says: "--template"},
		bad{what: "lint with two forms", args: on("lint {w}/PRP-1.md --json --sarif"), says: "--sarif"},
		bad{what: "PRPs in a state that no lifecycle has", args: on("list --state frobnicated"), says: "frobnicated"},
		bad{what: "an agent that the file has not", args: on("agent run --config {w}/good.yaml --only dev-2"), says: "dev-2"},
		bad{what: "the status of an unknown message", args: on("send --status m-9"), code: 3, says: "m-9"},
		bad{what: "the status of a message and a text", args: on("send --status m-1 dev-1 hello"), says: "dev-1"},
	)
}
