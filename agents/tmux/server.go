package tmux

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// server is a tmux server, running or not.
type server struct {
	cfg    Config
	socket string
}

// errNoAnswer says that it is unknown whether tmux has executed a command.
var errNoAnswer = errors.New("tmux does not answer")

// call runs one tmux command.
func (s server) call(ctx context.Context, stdin string, args ...string) (string, error) {
	bounded, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	cmd := exec.CommandContext(bounded, s.cfg.Command, append(s.flags(), args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.WaitDelay = time.Second
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	said := strings.TrimSpace(complaint.String())
	switch {
	case err == nil:
		return out.String(), nil
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("there is no %s on PATH; install tmux (Debian: apt-get install tmux): %w", s.cfg.Command, err)
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case bounded.Err() != nil:
		return "", fmt.Errorf("%w within %s (%s); look at it with tmux attach", errNoAnswer, s.cfg.Timeout, args[0])
	case strings.HasPrefix(said, "no server running"), strings.HasPrefix(said, "error connecting"):
		return "", fmt.Errorf("no tmux server is running there (%s); start the session, or give the socket of its server", said)
	case said != "":
		return "", fmt.Errorf("tmux %s: %s", args[0], said)
	}
	return "", fmt.Errorf("tmux %s: %w", args[0], err)
}

// flags come before the command. Without -u and a UTF-8 locale, tmux prints _ for
// each character that is not ASCII.
func (s server) flags() []string {
	switch {
	case s.socket == "":
		return []string{"-u"}
	case strings.Contains(s.socket, "/"):
		return []string{"-u", "-S", s.socket}
	}
	return []string{"-u", "-L", s.socket}
}

// prepare makes sure that input reaches the program in the pane.
func (s server) prepare(ctx context.Context, id string) error {
	out, err := s.call(ctx, "", "display-message", "-p", "-t", id, "#{pane_dead}#{pane_input_off}#{pane_synchronized}#{pane_in_mode}")
	if err != nil {
		return err
	}
	state := strings.TrimSpace(out)
	if len(state) < 4 {
		return fmt.Errorf("tmux describes the pane as %q; version 3.2 or later is needed", state)
	}
	switch {
	case state[0] != '0':
		return errors.New("the program in the pane has ended; start it again, for example with tmux respawn-pane")
	case state[1] != '0':
		return errors.New("the pane takes no input; allow it with tmux select-pane -e")
	case state[2] != '0':
		return errors.New("the pane shares its input with others; end that with tmux set -p synchronize-panes off")
	case state[3:] != "0":
		_, err = s.call(ctx, "", "copy-mode", "-q", "-t", id)
	}
	return err
}

// paste types a text, as one paste.
func (s server) paste(ctx context.Context, id, text string) (Verdict, error) {
	buffer := "prpflow-" + rand.Text()
	if _, err := s.call(ctx, text, "load-buffer", "-b", buffer, "-"); err != nil {
		return NotDelivered, err
	}
	_, err := s.call(ctx, "", "paste-buffer", "-p", "-d", "-b", buffer, "-t", id)
	if errors.Is(err, errNoAnswer) {
		return Unconfirmed, err
	}
	if err != nil {
		_, _ = s.call(ctx, "", "delete-buffer", "-b", buffer)
	}
	return NotDelivered, err
}

// enter presses Enter, and returns the screen right before.
func (s server) enter(ctx context.Context, id string) (typed string, err error) {
	typed, unseen := s.screen(ctx, id)
	if _, err := s.call(ctx, "", "send-keys", "-t", id, "Enter"); err != nil {
		return "", fmt.Errorf("the line was typed, but Enter was not pressed; look at the pane: %w", err)
	}
	return typed, unseen
}

func (s server) screen(ctx context.Context, id string) (string, error) {
	return s.call(ctx, "", "capture-pane", "-p", "-J", "-t", id)
}

// confirm reads the screen until it shows what is expected.
func (s server) confirm(ctx context.Context, id string, shows func(screen string) bool) Verdict {
	const pause = 50 * time.Millisecond
	for end := time.Now().Add(s.cfg.Confirm); ctx.Err() == nil && time.Now().Before(end); {
		now, err := s.screen(ctx, id)
		if err != nil { // the line may have ended the pane
			return Unconfirmed
		}
		if shows(now) {
			return Delivered
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return Unconfirmed
}
