package tmux

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// The defaults of a Config.
const (
	DefaultPause   = 500 * time.Millisecond
	DefaultConfirm = 2 * time.Second
	DefaultTimeout = 5 * time.Second
)

// Config says how a Bell rings.
type Config struct {
	// Command is the tmux program. Empty: tmux, on PATH.
	Command string
	// Pause is the time between the line and Enter: programs treat an Enter that
	// follows immediately as part of the paste. Zero: DefaultPause.
	Pause time.Duration
	// Confirm is how long to wait for an effect of Enter. Zero: DefaultConfirm.
	Confirm time.Duration
	// Timeout bounds each call of tmux. Zero: DefaultTimeout.
	Timeout time.Duration
	// LockDir is the folder of the lock files of panes. All processes that type into
	// the same panes must use the same folder. Empty: a folder of this user in
	// os.TempDir.
	LockDir string
}

// Pane names a pane.
type Pane struct {
	// Target is "session:window", where window is a name or an index,
	// "session:window.pane" with the index of a pane, or a pane id such as "%3".
	// Names must match exactly. Without a pane it means the window's active pane.
	Target string
	// Socket is the name of the tmux server's socket (tmux -L), or its path (tmux -S)
	// if it contains a slash. Empty: the default server.
	Socket string
}

// Verdict is the outcome for a line.
type Verdict int

// The verdicts.
const (
	// NotDelivered: nothing was typed. Ringing again is safe.
	NotDelivered Verdict = iota
	// Unconfirmed: the line was typed, or may have been, but the screen does not show
	// that the program accepted it. Ringing again may cause the same work twice.
	Unconfirmed
	// Delivered: the line was typed, and the screen shows that it left the input.
	Delivered
)

func (v Verdict) String() string {
	switch v {
	case NotDelivered:
		return "not delivered"
	case Unconfirmed:
		return "unconfirmed"
	case Delivered:
		return "delivered"
	}
	return "verdict " + strconv.Itoa(int(v))
}

// Bell types lines into panes. It is safe for concurrent use.
type Bell struct{ cfg Config }

// New makes a Bell; tmux need not be running yet.
func New(cfg Config) (*Bell, error) {
	if cfg.Pause < 0 || cfg.Confirm < 0 || cfg.Timeout < 0 {
		return nil, errors.New("tmux: pause, confirm and timeout must not be negative")
	}
	cfg.Command = cmp.Or(cfg.Command, "tmux")
	cfg.Pause = cmp.Or(cfg.Pause, DefaultPause)
	cfg.Confirm = cmp.Or(cfg.Confirm, DefaultConfirm)
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	cfg.LockDir = cmp.Or(cfg.LockDir, filepath.Join(os.TempDir(), fmt.Sprintf("prpflow-tmux-%d", os.Geteuid())))
	return &Bell{cfg: cfg}, nil
}

// Ring types a line into a pane and presses Enter. It removes control characters
// from the line; a line break or a tab becomes a space. If another caller or process
// is typing into the pane, it waits.
//
// NotDelivered comes with an error that says what to do. So does Unconfirmed if
// tmux failed after the line was typed; if only the screen gave no confirmation,
// the error is nil.
func (b *Bell) Ring(ctx context.Context, pane Pane, line string) (Verdict, error) {
	verdict, err := b.ring(ctx, pane, line)
	if err != nil {
		return verdict, fmt.Errorf("tmux: ring %s: %w", pane.Target, err)
	}
	return verdict, nil
}

func (b *Bell) ring(ctx context.Context, pane Pane, line string) (Verdict, error) {
	text, err := clean(line)
	if err != nil {
		return NotDelivered, err
	}
	s := server{cfg: b.cfg, socket: pane.Socket}
	found, err := s.find(ctx, pane.Target)
	if err != nil {
		return NotDelivered, err
	}
	unlock, err := lock(ctx, b.cfg.LockDir, found.server+found.id)
	if err != nil {
		return NotDelivered, fmt.Errorf("wait for another line to be typed: %w", err)
	}
	defer unlock()
	if err := s.prepare(ctx, found.id); err != nil {
		return NotDelivered, err
	}
	before, err := s.screen(ctx, found.id)
	if err != nil {
		return NotDelivered, err
	}
	// From here on ctx is ignored: a line without its Enter would become part of the
	// next line.
	if verdict, err := s.paste(context.WithoutCancel(ctx), found.id, text); err != nil {
		return verdict, err
	}
	time.Sleep(b.cfg.Pause)
	typed, err := s.enter(context.WithoutCancel(ctx), found.id)
	if err != nil {
		return Unconfirmed, err
	}
	mark := markOf(text)
	if mark.on(typed) == mark.on(before) { // not visible, so nothing could show that it left
		return Unconfirmed, nil
	}
	return s.confirm(ctx, found.id, func(now string) bool { return mark.on(now) != mark.on(typed) }), nil
}
