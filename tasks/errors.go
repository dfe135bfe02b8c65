package tasks

import (
	"errors"
	"fmt"
	"time"
)

// PermanentError marks a failure that trying again cannot mend.
type PermanentError struct{ Err error }

func (e *PermanentError) Error() string { return e.Err.Error() }
func (e *PermanentError) Unwrap() error { return e.Err }

// Permanent tells the broker to keep the task as a dead letter.
func Permanent(err error) error { return &PermanentError{err} }

// RetryAfterError asks for another run after a while.
type RetryAfterError struct {
	After time.Duration
	Err   error
}

func (e *RetryAfterError) Error() string { return fmt.Sprintf("%v (again after %s)", e.Err, e.After) }
func (e *RetryAfterError) Unwrap() error { return e.Err }

// RetryAfter tells the broker to hand the task out again after d.
func RetryAfter(d time.Duration, err error) error { return &RetryAfterError{d, err} }

// ErrStale is a handler's word that its task's job is no longer current: the
// broker forgets the task, nothing is retried.
var ErrStale = errors.New("the task's job is no longer current")

// ErrCancelled is the cause of the end of a handler's context when a person
// cancelled its task at the broker (context.Cause).
var ErrCancelled = errors.New("the task was cancelled by a person")
