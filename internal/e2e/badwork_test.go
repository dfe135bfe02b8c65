package e2e

import (
	"os"
	"strings"
)

// badDocuments are submissions that are refused.
func badDocuments() (rows []bad) {
	for _, d := range []struct {
		what, args, says string
		code             int
	}{
		{"a folder without documents", "{w}/bare", "no", 0},
		{"bytes that are not UTF-8", "{w}/latin1.md", "UTF-8", 0},
		{"text in UTF-16", "{w}/utf16.md", "utf16.md", 0},
		{"a file with NUL", "{w}/nul.md", "NUL", 0},
		{"a program", "{w}/binary", "binary", 0},
		{"a good document and one that is not there", "{w}/PRP-1.md {w}/none.md", "none.md", 0},
	} {
		for _, verb := range []string{"submit", "lint"} {
			rows = append(rows, bad{what: verb + " of " + d.what, args: on(verb + " " + d.args), says: d.says})
		}
	}
	rows = append(rows,
		bad{what: "submit of a folder without PRPs", args: on("submit {w}/notes"), says: "no PRP", remarks: true},
		bad{what: "submit of an empty document", args: on("submit {w}/empty.md --dry-run"), says: "empty"},
		bad{what: "submit again of what the lint refuses", args: on("submit {w}/PRP-3.md"), code: 4, says: "PRP-3", remarks: true},
		bad{what: "lint of what would be refused", args: on("lint {w}/PRP-3.md"), code: 4, says: "would be refused"},
		bad{what: "lint of an empty document", args: on("lint {w}/empty.md"), says: "empty"},
		bad{what: "lint of a blank document", args: on("lint {w}/blank.md --json"), says: "empty"},
		bad{what: "lint of many, of which one would be refused", args: on("lint {w}/PRP-1.md {w}/PRP-2.md {w}/PRP-3.md"), code: 4, says: "1 of 3"},
		bad{what: "lint of many, of which one cannot be read", args: on("lint {w}/PRP-1.md {w}/PRP-3.md {w}/empty.md"), says: "empty"},
		bad{what: "submit of a blank document", args: on("submit {w}/blank.md"), says: "empty"},
		bad{what: "one id for two files", args: on("submit {w}/PRP-1.md {w}/PRP-2.md --id x"), says: "--id"},
		bad{what: "another text under an id that is known", args: on("submit PRP-1.md"), name: "PRP-1.md", text: docText("PRP-1", "None") + "\nmore\n", code: 4, says: "--revise"},
		bad{what: "two files with one id", args: on("submit {w}/PRP-1.md PRP-1.md"), name: "PRP-1.md", text: docText("PRP-1", "None") + "\nmore\n", says: "PRP-1"},
		bad{what: "the same file twice", args: on("submit {w}/PRP-1.md {w}/PRP-1.md"), says: "PRP-1"},
		bad{what: "a document that depends on itself", args: on("submit PRP-7.md"), name: "PRP-7.md", text: docText("PRP-7", "PRP-7"), says: "PRP-7"},
		bad{what: "a flag by which it depends on itself", args: on("submit PRP-7.md --depends-on PRP-7"), name: "PRP-7.md", text: docText("PRP-7", "None"), says: "PRP-7"},
		bad{what: "a dry run of a document that depends on itself", args: on("submit PRP-7.md --dry-run"), name: "PRP-7.md", text: docText("PRP-7", "PRP-7"), says: "PRP-7"},
		bad{what: "a circle through a PRP that is known", args: on("submit {w}/PRP-2.md --revise --depends-on PRP-2"), says: "PRP-2"},
		bad{what: "documents in a circle", args: on("submit {w}/circle"), says: "->"},
	)
	for _, p := range []string{"P9", "p1", "high", "1", "P1,P2"} {
		rows = append(rows, bad{what: "priority " + p, args: on("submit {w}/PRP-1.md --priority " + p), says: p})
	}
	if os.Getuid() != 0 {
		rows = append(rows, bad{what: "submit of a folder that is locked", args: on("submit {w}/locked"), says: "denied"})
	}
	return rows
}

// badMoves are events that a PRP does not allow.
func badMoves() (rows []bad) {
	for _, line := range []string{
		"approve PRP-1", "reject PRP-1", "answer PRP-1 text", "retry PRP-1", "pause PRP-1", "undepend PRP-1", "trigger PRP-1 validate", "trigger PRP-1 assign",
		"approve PRP-2", "reject PRP-2", "answer PRP-2 text", "retry PRP-2", "undepend PRP-2", "trigger PRP-2 submit", "trigger PRP-2 finish",
		"approve PRP-3", "reject PRP-3", "answer PRP-3 text", "retry PRP-3", "trigger PRP-3 validate",
	} {
		rows = append(rows, bad{what: line + ", which its state does not allow", args: on(line), code: 4, says: on(line)[1]})
	}
	for what, event := range map[string]string{
		"unknown": "frobnicate", "in capitals": "CANCEL", "with a space": "can cel", "with a line break": "cancel\nretry", "long": threeHundred, "that is a state": "complete",
	} {
		rows = append(rows, bad{what: "an event that is " + what, args: []string{"trigger", "PRP-2", event}, says: "event"})
	}
	for what, pair := range map[string]string{"no =": "approved", "no key": "=true", "only a =": "="} {
		rows = append(rows, bad{what: "evidence with " + what, args: with("trigger PRP-2 cancel --evidence", pair), says: "KEY=VALUE"},
			bad{what: "evidence of an approval with " + what, args: with("approve PRP-2 --evidence", pair), says: "KEY=VALUE"})
	}
	return append(rows,
		bad{what: "evidence for a verb that takes none", args: on("cancel PRP-2 --evidence a=b"), says: "--evidence"},
		bad{what: "evidence that is too much", args: with("approve PRP-2 --evidence", "a="+seventyK), code: 4, says: "PRP-2"},
		bad{what: "watch of a PRP that was cancelled", args: on("watch PRP-1"), code: 5, says: "PRP-1 is cancelled"},
		bad{what: "watch of it for a program", args: on("watch PRP-1 --json"), code: 5, says: "PRP-1 is cancelled"},
		bad{what: "waiting for a PRP that was cancelled", args: on("submit {w}/PRP-1.md --wait"), code: 5, says: "PRP-1 is cancelled", remarks: true},
	)
}

// seventyK is more than evidence may have, and more than a label.
var seventyK = strings.Repeat("x", 70<<10)

// badMessages are messages that cannot be sent.
func badMessages() []bad {
	return []bad{
		{what: "an empty message", args: with("send dev-1", ""), says: "empty"},
		{what: "an empty message to everybody", args: with("broadcast", ""), says: "empty"},
		{what: "an empty message on standard input", args: on("send dev-1 -"), in: "/dev/null", says: "empty"},
		{what: "a message that is not UTF-8", args: with("send dev-1", "a\xffb"), says: "UTF-8"},
		{what: "a message on standard input that is not UTF-8", args: on("send dev-1 -"), in: "{w}/latin1.md", says: "UTF-8"},
		{what: "a message of more than 4 MiB", args: on("send dev-1 -"), in: "{w}/message.txt", says: "4"},
		{what: "a message without end", args: on("send dev-1 -"), in: "/dev/zero", says: "4"},
		{what: "a message to everybody without end", args: on("broadcast -"), in: "/dev/zero", says: "4"},
		{what: "a folder as a message", args: on("send dev-1 -"), in: "{w}", says: "message"},
		{what: "a text that begins with a dash", args: on("send dev-1 -hello"), says: "-h"},
		{what: "an id that is not UTF-8", args: with("send dev-1 hello --id", "a\xffb"), says: "--id"},
		{what: "an id of a message of a hundred thousand letters", args: with("send dev-1 hello --id", seventyK), says: "id"},
		{what: "a sender that is not UTF-8", args: with("send dev-1 hello --from", "a\xffb"), says: "--from"},
		{what: "a priority that is not UTF-8", args: with("send dev-1 hello --priority", "a\xffb"), says: "--priority"},
		{what: "three arguments, for a text without quotes", args: on("send dev-1 hello world"), says: "3"},
		{what: "a spool that is a file", args: on("send dev-1 hello --spool-dir {w}/PRP-1.md"), code: 1, says: "PRP-1.md"},
		{what: "a spool below a file", args: on("spool list --spool-dir {w}/PRP-1.md/spool"), code: 1, says: "PRP-1.md"},
		{what: "a spool that is a device", args: on("spool drain --spool-dir /dev/null"), code: 1, says: "/dev/null"},
		{what: "a state folder that is a file", args: on("agent run --config {w}/good.yaml --state-dir {w}/PRP-1.md"), code: 1, says: "PRP-1.md"},
		{what: "serve with a state folder below a file", args: on("serve --listen 127.0.0.1:0 --state-dir {w}/PRP-1.md/x"), code: 1, says: "PRP-1.md"},
	}
}

// badWorlds are what is wrong around the program: its output, an empty store.
func badWorlds() (rows []bad) {
	for _, line := range []string{
		"list", "list --json", "show PRP-1", "history PRP-1 --json", "lint {w}/PRP-1.md", "config", "version", "lifecycle diagram", "export -", "queue list", "help", "completion bash",
	} {
		rows = append(rows, bad{what: line + " onto a full disk", args: on(line), out: "/dev/full", code: 1, says: "no space"})
	}
	for _, line := range []string{"show", "history", "logs", "watch", "cancel", "pause", "resume", "approve", "dlq show", "dlq drop", "dlq replay"} {
		rows = append(rows, bad{what: line + " of a PRP in an empty store", args: with(line, "PRP-1", "--redis", "redis://{redis}/1"), code: 3, says: "PRP-1"})
	}
	return append(rows,
		bad{what: "a queue of an empty store is paused", args: on("queue pause agent:dev-1 --redis redis://{redis}/1"), code: 3, says: "queue list"},
		bad{what: "an unknown role on an empty store", args: on("agent run --redis redis://{redis}/1"), name: "agents.yaml",
			text: "agents:\n  - {name: a, role: gardener, builtin: approve}\n", says: "gardener"},
		bad{what: "a dry run of a circle on an empty store", args: on("submit PRP-7.md --dry-run --redis redis://{redis}/1"), name: "PRP-7.md", text: docText("PRP-7", "PRP-7"), says: "PRP-7"})
}
