package e2e

// badValues are durations and numbers that are none, are negative or too large.
func badValues() (rows []bad) {
	for _, line := range []string{
		"serve --drain", "agent run --config {w}/good.yaml --drain", "send dev-1 hello --ttl", "send dev-1 hello --delay", "send dev-1 hello --backoff",
		"inbox dev-1 --take --wait", "inbox dev-1 --follow --idle-exit", "queue drain inbox:dev-1 --timeout",
	} {
		for what, value := range map[string]string{
			"without a unit": "30", "that is a word": "soon", "that is negative": "-5s", "beyond the end of time": "9999999999h", "in days": "2d",
			"with a space": "1h 30m",
		} {
			args := on(line)
			args[len(args)-1] += "=" + value
			rows = append(rows, bad{what: line + " with a duration " + what, args: args, says: flagOf(line), sibling: value != "-5s"})
		}
	}
	for _, line := range []string{"send dev-1 hello --max-attempts", "inbox dev-1 --limit"} {
		for what, value := range map[string]string{
			"a word": "many", "a fraction": "1.5", "negative": "-1", "more than a computer counts": "99999999999999999999", "hexadecimal": "0xg",
		} {
			args := on(line)
			args[len(args)-1] += "=" + value
			rows = append(rows, bad{what: line + " with a number that is " + what, args: args, says: flagOf(line)})
		}
	}
	return append(rows,
		bad{what: "a time to live of less than a millisecond", args: on("send dev-1 hello --ttl 1us"), says: "--ttl"},
		bad{what: "a message that is over before it is due", args: on("send dev-1 hello --ttl 1s --delay 2s"), says: "--ttl"},
		bad{what: "a command without --take", args: on("inbox dev-1 --exec true"), says: "--take"},
		bad{what: "a wait without --take", args: on("inbox dev-1 --wait 1s"), says: "--take"},
		bad{what: "a limit with --take", args: on("inbox dev-1 --take --limit 1"), says: "--limit"},
		bad{what: "an end of idleness without --follow", args: on("inbox dev-1 --take --idle-exit 1s"), says: "--follow"},
		bad{what: "nothing comes within no time", args: on("inbox dev-2 --take"), code: 3, says: "dev-2"},
		bad{what: "nothing comes within a second", args: on("inbox dev-2 --take --wait 1s"), code: 3, says: "1s"},
		bad{what: "a queue that is not empty in time", args: on("queue drain inbox:dev-1 --timeout 500ms"), code: 1, says: "500ms"},
	)
}

// flagOf is the flag at the end of a line.
func flagOf(line string) string {
	fields := on(line)
	return fields[len(fields)-1]
}
