package simtest

import (
	"bytes"

	"github.com/prpflow/prpflow/fsm"
)

// careful is the default lifecycle, but a person has the last word in
// validation, and development has a deadline.
var careful, errCareful = fsm.Parse("careful", carefulText())

func carefulText() []byte {
	text := fsm.Default().Source()
	for state, more := range map[string]string{"validation": "approval: true", "development": "deadline: 20s"} {
		text = bytes.Replace(text, []byte("\n  "+state+":\n"), []byte("\n  "+state+":\n    "+more+"\n"), 1)
	}
	return text
}
