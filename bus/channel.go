package bus

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// Broadcast is the channel of messages to everybody.
	Broadcast = prefix + broadcast
	// Pattern matches every channel of the bus.
	Pattern = prefix + "*"

	prefix    = "agent:"
	broadcast = "broadcast"
)

// ErrName says that a name is not one of an agent with a channel.
var ErrName = errors.New("no agent has a channel of this name")

// Channel is the channel of an agent, whose name is folded to lower case.
func Channel(name string) (string, error) {
	folded := strings.ToLower(name)
	if folded == "" || folded == broadcast {
		return "", fmt.Errorf("%q: %w", name, ErrName)
	}
	return prefix + folded, nil
}

// Agent is the name, in lower case, of the agent that a channel belongs to. ok is
// false for the broadcast channel and for what is no channel of the bus.
func Agent(channel string) (name string, ok bool) {
	name, ok = strings.CutPrefix(channel, prefix)
	name = strings.ToLower(name)
	if !ok || name == "" || name == broadcast {
		return "", false
	}
	return name, true
}
