package tmux

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNoPane says that a target matches no pane, or more than one.
var ErrNoPane = errors.New("no such pane")

// listed is a pane as tmux lists it.
type listed struct {
	server          string // its process id
	id              string
	window, session string
	windowIndex     string
	index           string
	active          bool
}

// format has the names last, since they may contain spaces. The name of a session
// contains no colon.
const format = "#{pid} #{pane_id} #{window_index} #{pane_index} #{pane_active} #{session_name}:#{window_name}"

// find looks for a target among all panes. It does not pass the target to tmux,
// which would choose dev-10 if there is no dev-1, and would read a dot in the name of
// a window as the start of a pane index.
func (s server) find(ctx context.Context, target string) (listed, error) {
	session, window, named := strings.Cut(target, ":")
	if !strings.HasPrefix(target, "%") && (!named || session == "" || window == "") {
		return listed{}, fmt.Errorf("%w: a target is session:window, session:window.pane or a pane id such as %%3", ErrNoPane)
	}
	out, err := s.call(ctx, "", "list-panes", "-a", "-F", format)
	if err != nil {
		return listed{}, err
	}
	panes, err := parsePanes(out)
	if err != nil {
		return listed{}, err
	}
	for _, matches := range rules(target, session, window) {
		var hits []listed
		for _, p := range panes {
			// A window that is linked to several sessions is listed for each.
			if matches(p) && !slices.ContainsFunc(hits, func(h listed) bool { return h.id == p.id }) {
				hits = append(hits, p)
			}
		}
		switch {
		case len(hits) == 1:
			return hits[0], nil
		case len(hits) > 1:
			return listed{}, fmt.Errorf("%w: %d windows match it; use the id of the pane, such as %s", ErrNoPane, len(hits), hits[0].id)
		}
	}
	return listed{}, fmt.Errorf("%w: there is nothing called exactly %s; tmux list-panes -a lists what there is", ErrNoPane, target)
}

// rules are the meanings that a target can have, the most literal first.
func rules(target, session, window string) []func(listed) bool {
	in := func(p listed) bool { return p.session == session }
	name, index := window, ""
	if dot := strings.LastIndexByte(window, '.'); dot >= 0 {
		name, index = window[:dot], window[dot+1:]
	}
	return []func(listed) bool{
		func(p listed) bool { return p.id == target },
		func(p listed) bool { return in(p) && p.active && p.window == window },
		func(p listed) bool { return in(p) && p.active && p.windowIndex == window },
		func(p listed) bool { return in(p) && p.index == index && p.window == name },
		func(p listed) bool { return in(p) && p.index == index && p.windowIndex == name },
	}
}

func parsePanes(out string) ([]listed, error) {
	var panes []listed
	for line := range strings.Lines(out) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 6)
		if len(fields) != 6 {
			return nil, fmt.Errorf("tmux lists a pane as %q; version 3.2 or later is needed", line)
		}
		p := listed{server: fields[0], id: fields[1], windowIndex: fields[2], index: fields[3], active: fields[4] == "1"}
		p.session, p.window, _ = strings.Cut(fields[5], ":")
		panes = append(panes, p)
	}
	return panes, nil
}
