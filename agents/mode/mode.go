package mode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Mode says how a live agent is told of a message.
type Mode string

// The modes.
const (
	Redis Mode = "redis" // by the bus and its own reading
	Tmux  Mode = "tmux"  // by a line in its pane
	Dual  Mode = "dual"  // by both; it is one message
)

// Variable is the environment variable that overrides the switch of a process.
const Variable = "AGENT_COORDINATION_MODE"

// ErrUnknown says that a word is no mode.
var ErrUnknown = errors.New("there are the modes redis, tmux and dual")

// Parse reads a mode.
func Parse(text string) (Mode, error) {
	switch m := Mode(strings.ToLower(strings.TrimSpace(text))); m {
	case Redis, Tmux, Dual:
		return m, nil
	}
	return "", fmt.Errorf("%q is not a mode: %w", text, ErrUnknown)
}

// Pane says whether an agent is told by its pane.
func (m Mode) Pane() bool { return m == Tmux || m == Dual }

// Change is one turn of the switch.
type Change struct {
	Mode   Mode      `json:"mode"`
	Agent  string    `json:"agent,omitempty"` // "" for all that have no switch of their own
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

const (
	// switchesKey is the hash of the switches: "" is that for all.
	switchesKey = "{mode}:switches"
	// changesKey is the list of what was turned, the last first.
	changesKey = "{mode}:changes"
	// changesKept bounds it.
	changesKept = 1000
)

// Switch turns and reads the modes of a store.
type Switch struct {
	rdb      redis.UniversalClient
	override Mode
}

// New makes a Switch. The environment's value, "" for none, overrides what is in the
// store for everybody who asks this Switch.
func New(rdb redis.UniversalClient, environment string) (*Switch, error) {
	if rdb == nil {
		return nil, errors.New("mode: no Redis client")
	}
	s := &Switch{rdb: rdb}
	if environment == "" {
		return s, nil
	}
	var err error
	if s.override, err = Parse(environment); err != nil {
		return nil, fmt.Errorf("%s: %w", Variable, err)
	}
	return s, nil
}

// Of is the mode of an agent, folded, or with "" that of agents without a switch of
// their own.
func (s *Switch) Of(ctx context.Context, agent string) (Mode, error) {
	if s.override != "" {
		return s.override, nil
	}
	values, err := s.rdb.HMGet(ctx, switchesKey, agent, "").Result()
	if err != nil {
		return "", fmt.Errorf("mode: %w", err)
	}
	for _, v := range values {
		if text, ok := v.(string); ok {
			return Parse(text)
		}
	}
	return Redis, nil
}

// Agents are the switches of agents that have one.
func (s *Switch) Agents(ctx context.Context) (map[string]Mode, error) {
	all, err := s.rdb.HGetAll(ctx, switchesKey).Result()
	if err != nil {
		return nil, fmt.Errorf("mode: %w", err)
	}
	modes := map[string]Mode{}
	for agent, text := range all {
		if m, err := Parse(text); err == nil && agent != "" {
			modes[agent] = m
		}
	}
	return modes, nil
}

// Set turns the switch of an agent, or with "" that for all others. An empty mode
// takes the agent's own switch away.
func (s *Switch) Set(ctx context.Context, c Change) error {
	if c.Mode == "" && c.Agent == "" {
		return fmt.Errorf("mode: %w", ErrUnknown)
	}
	c.At = time.Now().UTC()
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("mode: %w", err)
	}
	pipe := s.rdb.TxPipeline()
	if c.Mode == "" {
		pipe.HDel(ctx, switchesKey, c.Agent)
	} else {
		pipe.HSet(ctx, switchesKey, c.Agent, string(c.Mode))
	}
	pipe.LPush(ctx, changesKey, raw)
	pipe.LTrim(ctx, changesKey, 0, changesKept-1)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("mode: %w", err)
	}
	return nil
}

// RollBack turns the switch for all, and those of agents that have their own, to tmux.
// It answers whether any was turned.
func (s *Switch) RollBack(ctx context.Context, c Change) (turned bool, err error) {
	c.Mode = Tmux
	agents, err := s.Agents(ctx)
	if err != nil {
		return false, err
	}
	all, err := (&Switch{rdb: s.rdb}).Of(ctx, "")
	if err != nil {
		return false, err
	}
	agents[""] = all
	for _, agent := range slices.Sorted(maps.Keys(agents)) {
		if agents[agent] == Tmux {
			continue
		}
		c.Agent = agent
		if err := s.Set(ctx, c); err != nil {
			return turned, err
		}
		turned = true
	}
	return turned, nil
}

// probeKey is written to find out whether Redis takes writes.
const probeKey = "{mode}:probe"

// Probe fails where Redis does not take writes.
func (s *Switch) Probe(ctx context.Context) error {
	if err := s.rdb.Set(ctx, probeKey, "1", time.Hour).Err(); err != nil {
		return fmt.Errorf("mode: Redis takes no writes: %w", err)
	}
	return nil
}

// Changes are the last turns of the switch, the last first.
func (s *Switch) Changes(ctx context.Context, limit int) ([]Change, error) {
	texts, err := s.rdb.LRange(ctx, changesKey, 0, int64(limit)-1).Result()
	if err != nil {
		return nil, fmt.Errorf("mode: %w", err)
	}
	changes := make([]Change, 0, len(texts))
	for _, text := range texts {
		var c Change
		if err := json.Unmarshal([]byte(text), &c); err == nil { // another's entry is not ours to judge
			changes = append(changes, c)
		}
	}
	return changes, nil
}
