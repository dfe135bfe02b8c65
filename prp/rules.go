package prp

import (
	_ "embed" // for the template
	"slices"
)

// Template is a document to begin with; it has no findings.
//
//go:embed template.md
var Template string

// Rule is something that Lint looks for. Names are stable: scripts and
// configurations refer to them.
type Rule struct {
	Name  string `json:"name"`
	Error bool   `json:"error"` // the document is refused
	Why   string `json:"why"`   // what goes wrong without it
	Mend  string `json:"mend"`  // what to write instead
}

// rules are in the order in which they are explained.
var rules = []Rule{
	{"not-a-prp", true, "An agent that gets a report or a to-do list for its order builds something that nobody asked for.", "State a goal and criteria under headings, or keep the page out of the folder that is submitted."},
	{"no-title", true, "People and agents call a PRP by its title.", "Begin with a line such as `# PRP-7 - What to build`."},
	{"no-criteria", true, "Without criteria nobody can tell done from not done, the validator included.", "List them under a heading `## Success Criteria`, one fact that can be checked in each item."},
	{"criterion-twice", false, "The same sentence in two lists is judged twice, and the two drift apart.", "Keep one of them."},
	{"criterion-ticked", false, "A tick in the document is no evidence: every criterion is judged anew.", "Untick the boxes, or take away what is done already."},
	{"template-left", false, "What a template left to be filled in is taken by an agent as it stands.", "Write what is meant in place of the brackets."},
	{"no-gates", false, "Without commands the verdict rests on reading alone.", "Put the commands that prove it into a shell block under a heading `## Validation`."},
	{"gate-placeholder", false, "A command with a gap in it cannot be run.", "Write the file, module or name that is meant."},
	{"gate-never-exits", false, "A command that watches or serves has no exit status, and the validation waits for its time limit.", "Run it once (--run, without --watch), or start it in the test that needs it."},
	{"masked-exit-status", false, "`|| true`, `|| echo` or a pipe into tee turns a failure into success.", "Let the command fail: its exit status is the verdict."},
	{"destructive-command", false, "A gate runs in the agent's working copy, each time, with its rights: what it deletes is gone.", "Let tests make and remove what is theirs."},
	{"decoy-status", false, "A status further down speaks of something else; and no status in a document moves its PRP.", "Keep the document's own status in its header, or leave it out."},
	{"status-unknown", false, "A status that is none of the usual words says nothing to others.", "Write new, ready, in_progress, complete or deprecated, or leave it out."},
	{"priority-unknown", false, "A PRP without a priority is queued as P2.", "Write P0 to P3, critical, high, medium or low."},
	{"id-unusable", false, "An id is part of URLs, paths and keys.", "Write 1 to 128 of A-Z a-z 0-9 . _ : -"},
	{"id-twice", true, "Two documents of one id are one PRP: the second would overwrite the first.", "Give one of them another id."},
	{"dependency-unknown", false, "A name that no PRP has holds nothing up: the order that was meant is not kept.", "Correct the id, or hand that document in first."},
	{"dependency-cycle", true, "PRPs in a dependency cycle never begin.", "Take one of the dependencies away."},
	{"front-matter", false, "A line of the front matter that is no YAML is not read.", "Correct it, or state the field as a bold line under the title."},
	{"fence-unclosed", false, "All that follows an open code block is code to a reader, criteria included.", "Close it with the marks that opened it, on a line of their own."},
}

// Rules lists what Lint looks for.
func Rules() []Rule { return slices.Clone(rules) }

// finding is one of a rule, at a line counted from 1, 0 for the whole document.
func finding(rule string, line int, message string) Finding {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == rule })
	r := rules[i]
	return Finding{Rule: r.Name, Line: line, Message: message, Mend: r.Mend, Error: r.Error}
}
