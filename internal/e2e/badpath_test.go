package e2e

import (
	"os"
	"strings"
)

// oddPaths are what is no readable file of text, and a word of what is said of it.
var oddPaths = []struct{ what, path, says string }{
	{"a file that is not there", "{w}/none.md", "no such file"},
	{"a file in a folder that is not there", "{w}/none/none.md", "no such file"},
	{"a file below a file", "{w}/PRP-1.md/none.md", "not a directory"},
	{"a link to nowhere", "{w}/nowhere.md", "no such file"},
	{"links in a circle", "{w}/round.md", "link"},
	{"a link to itself", "{w}/self.md", "link"},
	{"a pipe", "{w}/fifo.md", "pipe"},
	{"a socket", "{w}/socket.md", "socket"},
	{"an endless device", "/dev/zero", "device"},
	{"a full device", "/dev/full", "device"},
	{"a terminal's device", "/dev/null", "device"},
	{"more than a mebibyte", "{w}/big.md", "1048576"},
	{"a name of three hundred letters", "{w}/" + threeHundred, "too long"},
	{"a process' memory", "/proc/self/mem", "/proc/self/mem"},
}

var threeHundred = strings.Repeat("x", 300)

// badPaths are files that cannot be read, for each verb that reads one.
func badPaths() (rows []bad) {
	for _, line := range []string{"submit", "lint", "lifecycle check", "lifecycle use", "agent run --config", "serve --listen 127.0.0.1:0 --agents"} {
		again := strings.HasPrefix(line, "lifecycle") || strings.HasPrefix(line, "serve")
		for _, odd := range oddPaths {
			rows = append(rows, bad{what: line + " of " + odd.what, args: with(line, odd.path), says: odd.says, sibling: again})
		}
		if line != "submit" && line != "lint" { // which take a folder
			rows = append(rows, bad{what: line + " of a folder", args: with(line, "{w}/notes"), says: "folder"})
		}
		for what, path := range map[string]string{"an empty file": "{w}/empty.md", "a blank file": "{w}/blank.md", "bytes that are not UTF-8": "{w}/latin1.md", "a file with NUL": "{w}/nul.md"} {
			if line == "submit" || line == "lint" {
				continue // badDocuments
			}
			rows = append(rows, bad{what: line + " of " + what, args: with(line, path), says: ".md", sibling: again})
		}
		if os.Getuid() != 0 { // who is root reads all
			rows = append(rows, bad{what: line + " of a file that is locked", args: with(line, "{w}/locked.md"), says: "denied"})
		}
	}
	for _, odd := range oddPaths {
		rows = append(rows,
			bad{what: "a configuration that is " + odd.what, args: on("config"), env: []string{"PRPFLOW_CONFIG_FILE=" + odd.path}, says: odd.says},
			bad{what: "tokens in " + odd.what, args: on("config"), env: []string{"PRPFLOW_API_TOKENS_FILE=" + odd.path}, says: odd.says, sibling: true})
	}
	return append(rows,
		bad{what: "an export over a file that is there", args: on("export {w}/PRP-1.md"), says: "exists"},
		bad{what: "an export onto a folder", args: on("export {w}/notes"), says: "exists"},
		bad{what: "an export into a folder that is not there", args: on("export {w}/none/file"), says: "no such file"},
		bad{what: "an export below a file", args: on("export {w}/PRP-1.md/file"), says: "not a directory"},
		bad{what: "an export onto a full device", args: on("export /dev/full"), says: "exists"},
		bad{what: "an export through a link to nowhere", args: on("export {w}/nowhere.md"), says: "exists"},
	)
}
