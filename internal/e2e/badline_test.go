package e2e

import "strings"

// verb is a verb with the arguments that it needs.
type verb struct {
	name string
	args []string // good ones
	more bool     // it takes any number of them
	text []int    // arguments that may be empty, since they are a message
}

// verbs are those that a user can type, each with good arguments.
var verbs = []verb{
	{name: "demo"}, {name: "serve"}, {name: "agent run"},
	{name: "submit", args: on("x.md"), more: true}, {name: "lint", args: on("x.md"), more: true},
	{name: "trigger", args: on("PRP-1 cancel")}, {name: "approve", args: on("PRP-1")}, {name: "reject", args: on("PRP-1")},
	{name: "answer", args: on("PRP-1 text")}, {name: "retry", args: on("PRP-1")}, {name: "cancel", args: on("PRP-1")},
	{name: "pause", args: on("PRP-1")}, {name: "resume", args: on("PRP-1")}, {name: "undepend", args: on("PRP-1")},
	{name: "list"}, {name: "show", args: on("PRP-1")}, {name: "history", args: on("PRP-1")}, {name: "logs", args: on("PRP-1")},
	{name: "agents"}, {name: "watch", args: on("PRP-1"), more: true},
	{name: "send", args: on("dev-1 text"), text: []int{1}}, {name: "inbox", args: on("dev-1")}, {name: "broadcast", args: on("text"), text: []int{0}},
	{name: "spool list"}, {name: "spool drain"},
	{name: "queue list"}, {name: "queue drain", args: on("inbox:dev-1")}, {name: "queue purge", args: on("inbox:dev-1")},
	{name: "queue scale"}, {name: "queue pause", args: on("inbox:dev-1")}, {name: "queue resume", args: on("inbox:dev-1")},
	{name: "dlq list"}, {name: "dlq show", args: on("m-9")}, {name: "dlq replay", args: on("m-9")}, {name: "dlq drop", args: on("m-9")},
	{name: "mode"}, {name: "mode set", args: on("redis")}, {name: "export", args: on("file.jsonl")},
	{name: "lifecycle check", args: on("x.yaml")}, {name: "lifecycle use", args: on("x.yaml")}, {name: "lifecycle diagram"},
	{name: "config"}, {name: "version"},
}

// badVerbs are words that are no verbs.
func badVerbs() []bad {
	rows := []bad{
		{what: "a verb nearly right", args: on("lst"), says: `"lst"`},
		{what: "a verb in capitals", args: on("LIST"), says: `"LIST"`},
		{what: "two verbs as one word", args: []string{"dlq list"}, says: "dlq list"},
		{what: "a verb of another program", args: on("status"), says: `"status"`},
		{what: "a file in place of a verb", args: on("PRP-1.md"), says: "PRP-1.md"},
		{what: "no verb, but a blank", args: []string{" "}, says: `" "`},
		{what: "no verb, but an empty text", args: []string{""}, says: `""`},
		{what: "a verb with control characters", args: []string{"li\x1b[31mst"}, never: "\x1b"},
		{what: "a verb that is not UTF-8", args: []string{"li\xffst"}, never: "\xff"},
		{what: "a verb with a line break", args: []string{"list\nshow"}},
		{what: "a verb of a hundred thousand letters", args: []string{strings.Repeat("x", 100_000)}},
		{what: "help of what is no verb", args: on("help frobnicate"), says: "frobnicate"},
		{what: "help of what is no verb below another", args: on("help queue frobnicate"), says: "frobnicate"},
		{what: "completion for a shell that is not known", args: on("completion tcsh"), says: "tcsh"},
		{what: "completion for two shells", args: on("completion bash zsh"), says: "zsh"},
		{what: "completion with a flag that it has not", args: on("completion bash --frobnicate"), says: "--frobnicate"},
		{what: "a flag of the program that it has not", args: on("--version"), says: "--version"},
		{what: "a short flag that it has not", args: on("-v"), says: "-v"},
		{what: "a flag with no name", args: on("list --=x"), says: "--"},
		{what: "three dashes", args: on("list ---json"), says: "---json"},
		{what: "a flag without the value that it needs", args: on("list --redis"), says: "--redis"},
		{what: "a switch with a value that is none", args: on("list --json=perhaps"), says: "perhaps"},
		{what: "a switch with a value behind a space", args: on("list --json true"), says: "true"},
		{what: "a flag with one dash", args: on("list -json"), says: "-json"},
	}
	for _, group := range on("agent queue dlq spool lifecycle mode") {
		rows = append(rows, bad{what: group + " with a verb that it has not", args: on(group + " frobnicate"), says: `"frobnicate"`})
	}
	return rows
}

// badArguments are too few, too many, empty and blank arguments, and unknown flags, of
// each verb.
func badArguments() (rows []bad) {
	for _, v := range verbs {
		rows = append(rows, bad{what: v.name + " with a flag that it has not", args: with(v.name, append(v.args, "--frobnicate")...), says: "--frobnicate", sibling: v.name != "demo"})
		if !v.more {
			rows = append(rows, bad{what: v.name + " with one argument too many", args: with(v.name, append(v.args, "toomuch")...)})
		}
		if v.name != "watch" && len(v.args) > 0 {
			rows = append(rows, bad{what: v.name + " without its argument", args: on(v.name)})
		}
		for i := range v.args {
			for what, value := range map[string]string{"an empty": "", "a blank": " \t"} {
				if len(v.text) > 0 && v.text[0] == i && value != "" {
					continue // a message may be blank
				}
				args := append([]string{}, v.args...)
				args[i] = value
				rows = append(rows, bad{what: v.name + " with " + what + " argument " + string(rune('1'+i)), args: with(v.name, args...), says: "empty", sibling: value != ""})
			}
		}
	}
	for _, line := range []string{
		"list --state", "list --redis", "submit x.md --id", "submit x.md --priority", "submit x.md --repo", "submit x.md --as",
		"trigger PRP-2 cancel --reason", "trigger PRP-2 cancel --request-id", "cancel PRP-2 --as", "send dev-1 x --from", "send dev-1 x --id",
		"send --status", "inbox dev-1 --take --exec", "mode set redis --agent", "mode set redis --reason", "dlq replay --all", "dlq drop m-9 --reason",
		"export - --lane", "lifecycle diagram --format", "lint --explain", "serve --listen", "serve --agents", "agent run --config", "spool list --spool-dir",
		"serve --state-dir", "broadcast x --from", "broadcast x --priority",
	} {
		flag := line[strings.LastIndex(line, "--"):]
		rows = append(rows, bad{what: line + " and an empty text", args: with(line, ""), says: flag, sibling: true})
	}
	for _, line := range []string{"submit x.md --depends-on", "agent run --config {w}/good.yaml --only", "trigger PRP-2 cancel --evidence"} {
		flag := line[strings.LastIndex(line, "--"):]
		rows = append(rows, bad{what: line + " and an empty text", args: with(line, ""), says: flag},
			bad{what: line + " and a blank", args: with(line, " "), says: flag})
	}
	return rows
}
