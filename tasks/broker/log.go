package broker

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// warnEvery bounds how often Asynq may warn.
const warnEvery = 30 * time.Second

// asynqLog gives the lines of Asynq's servers to slog: none belongs on a user's
// terminal. What Asynq calls an error it will try again, hence a warning; with
// Redis away every duty of every server has one each few seconds, hence one for
// all of them now and then. Its warnings ("revoke task") are our daily business.
type asynqLog struct {
	log *slog.Logger

	mu     sync.Mutex
	warned time.Time
}

func (l *asynqLog) Debug(...any)      {}
func (l *asynqLog) Info(args ...any)  { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l *asynqLog) Warn(args ...any)  { l.log.Debug("asynq: " + fmt.Sprint(args...)) }
func (l *asynqLog) Error(args ...any) { l.trouble("asynq: " + fmt.Sprint(args...)) }

// Fatal does not end the process, whatever Asynq's interface says.
func (l *asynqLog) Fatal(args ...any) { l.log.Error("asynq: " + fmt.Sprint(args...)) }

// trouble warns, or writes a debug line if the last warning is not long past.
func (l *asynqLog) trouble(line string, attrs ...any) {
	l.mu.Lock()
	due := time.Since(l.warned) >= warnEvery
	if due {
		l.warned = time.Now()
	}
	l.mu.Unlock()
	if due {
		l.log.Warn(line, attrs...)
	} else {
		l.log.Debug(line, attrs...)
	}
}
