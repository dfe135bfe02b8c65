package bus

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// Broadcast is the channel for messages to all agents.
	Broadcast = prefix + broadcast
	// Pattern matches every channel of the bus.
	Pattern = prefix + "*"

	prefix    = "agent:"
	broadcast = "broadcast"
)

// ErrName says that no agent can have this name.
var ErrName = errors.New("not the name of an agent")

// Channel is the channel of an agent, whose name is folded to lower case.
func Channel(name string) (string, error) {
	folded := strings.ToLower(name)
	if folded == "" || folded == broadcast {
		return "", fmt.Errorf("%q: %w", name, ErrName)
	}
	return prefix + folded, nil
}

// Agent returns the name, in lower case, of the agent whose channel it is. ok is
// false for the broadcast channel and for channels that are not part of the bus.
func Agent(channel string) (name string, ok bool) {
	name, ok = strings.CutPrefix(channel, prefix)
	name = strings.ToLower(name)
	if !ok || name == "" || name == broadcast {
		return "", false
	}
	return name, true
}
