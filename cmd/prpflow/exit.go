package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/internal/config"
	"github.com/prpflow/prpflow/internal/redisconn"
	"github.com/prpflow/prpflow/workflow"
)

// Exit codes; scripts rely on them.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2  // usage or bad input
	exitNotFound    = 3  // no such PRP, dead letter, agent
	exitConflict    = 4  // refused by state, guard or lint
	exitFailed      = 5  // the PRP that was waited for failed or was cancelled
	exitUnreachable = 69 // Redis cannot be reached
)

// errUsage marks bad input, errFailed a PRP that came to a bad end. notFound is
// what nobody knows, errRefused what the state does not allow, errLocal a fault of
// this machine that Redis has no part in.
var (
	errUsage    = errors.New("bad input")
	errFailed   = errors.New("failed or cancelled")
	errNotFound = errors.New("not found")
	errRefused  = errors.New("refused")
	errLocal    = errors.New("local fault")
)

// coded is an error whose sentence is complete, with the kind that decides the
// exit code.
type coded struct {
	kind error
	text string
}

func (c *coded) Error() string { return c.text }
func (c *coded) Unwrap() error { return c.kind }

func usagef(format string, args ...any) error {
	return &coded{errUsage, fmt.Sprintf(format, args...)}
}

// codes is read from above; the first that fits decides.
var codes = []struct {
	kind error
	code int
}{
	{errFailed, exitFailed},
	{errUsage, exitUsage},
	{config.ErrOpen, exitUsage},
	{redisconn.ErrURL, exitUsage},
	{redisconn.ErrUntrusted, exitUsage},
	{workflow.ErrBadInput, exitUsage},
	{workflow.ErrUnknownEvent, exitUsage},
	{redisconn.ErrUnreachable, exitUnreachable},
	{workflow.ErrUnavailable, exitUnreachable},
	{errNotFound, exitNotFound},
	{workflow.ErrNotFound, exitNotFound},
	{errRefused, exitConflict},
	{workflow.ErrConflict, exitConflict},
	{workflow.ErrUnfit, exitConflict},
	{agents.ErrNameTaken, exitConflict},
}

// report says what went wrong, in one sentence, and gives the exit code.
func (p *program) report(err error) int {
	if errors.Is(err, context.Canceled) { // somebody pressed Ctrl-C: he knows
		return exitError
	}
	if refusal, ok := redisconn.Refused(err); ok {
		fmt.Fprintln(p.err, "prpflow: "+refusal.Sentence)
		return exitError
	}
	code := exitError
	for _, c := range codes {
		if errors.Is(err, c.kind) {
			code = c.code
			break
		}
	}
	if code == exitError && redisconn.IsUnavailable(err) {
		code = exitUnreachable
	}
	if text := strings.TrimSpace(err.Error()); text != "" {
		fmt.Fprintln(p.err, "prpflow: "+sentence(text))
	}
	return code
}

// longestSentence is how many characters of an error are shown: an argument, or a list
// of all that is wrong with a file, has no bound.
const longestSentence = 1500

// sentence leaves out the names of kinds that only programs need.
func sentence(text string) string {
	for _, kind := range []error{workflow.ErrBadInput, workflow.ErrConflict, workflow.ErrUnavailable} {
		text = strings.ReplaceAll(text, kind.Error()+": ", "")
	}
	text = strings.ReplaceAll(text, "\n", "; ")
	if r := []rune(text); len(r) > longestSentence {
		text = string(r[:longestSentence]) + " … (cut)"
	}
	return text
}
