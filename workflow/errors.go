package workflow

import (
	"errors"
	"fmt"
)

// What a store and the engine refuse, and why.
var (
	ErrNotFound     = errors.New("not found")
	ErrConflict     = errors.New("conflict")                                    // the state does not allow it
	ErrStale        = errors.New("stale: the job, fence or run is not current") // changes nothing, for good
	ErrChanged      = errors.New("the record has changed since it was read")    // read again and decide again
	ErrExists       = errors.New("exists already")
	ErrHeld         = errors.New("another run holds the job")
	ErrPaused       = errors.New("the PRP is paused")
	ErrUnavailable  = errors.New("the store cannot be reached") // nothing is known of the outcome; the call may be repeated
	ErrUnreadable   = errors.New("the record cannot be read")   // damaged, or written by a newer program
	ErrUnfit        = errors.New("the document is refused by the strict lint")
	ErrBadInput     = errors.New("bad input")
	ErrUnknownEvent = errors.New("unknown event")
)

// Class says what a caller can do about an error. It is decided where errors
// arise, by wrapping one of the sentinels, and nowhere else.
type Class int

// The classes of errors.
const (
	Final       Class = iota // the same call fails again
	Unreachable              // nothing is known of the outcome; ask again
	Outrun                   // something changed meanwhile; read and decide again
)

// ClassOf tells the class of an error.
func ClassOf(err error) Class {
	switch {
	case errors.Is(err, ErrUnavailable):
		return Unreachable
	case errors.Is(err, ErrChanged):
		return Outrun
	}
	return Final
}

// Newer is the error of what a newer program wrote. It is ErrUnreadable.
func Newer(what string, schema int) error {
	return newer(fmt.Sprintf("%s was written by a newer prpflow (schema %d, this one reads %d): upgrade this program", what, schema, SchemaVersion))
}

type newer string

func (n newer) Error() string      { return string(n) }
func (newer) Is(target error) bool { return target == ErrUnreadable }
