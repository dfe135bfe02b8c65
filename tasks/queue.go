package tasks

import (
	"fmt"
	"regexp"
	"strings"
)

var agentName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// CheckAgentName says whether an agent may be called so.
func CheckAgentName(name string) error {
	if !agentName.MatchString(name) {
		return fmt.Errorf("agent name %q: use a-z, 0-9, dot, dash and underscore, at most 63, beginning with a letter or digit", name)
	}
	return nil
}

// Priorities from the most to the least urgent.
var Priorities = []string{"P0", "P1", "P2", "P3"}

// AgentQueue names the queue of an agent for a priority. P2, also written "",
// has the plain name: a queue is FIFO, so priority needs queues.
func AgentQueue(agent, priority string) string {
	if priority == "" || priority == "P2" {
		return "agent:" + agent
	}
	return "agent:" + agent + ":" + strings.ToLower(priority)
}

// AgentQueues lists an agent's queues in the order in which it serves them.
func AgentQueues(agent string) []string {
	qs := make([]string, len(Priorities))
	for i, p := range Priorities {
		qs[i] = AgentQueue(agent, p)
	}
	return qs
}

// RoleQueue names the queue for work of a role that has no live agent.
func RoleQueue(role string) string { return rolePrefix + role }

const rolePrefix = "role:"

// RoleOf is the role whose queue this is.
func RoleOf(queue string) (role string, ok bool) { return strings.CutPrefix(queue, rolePrefix) }

// IsQueue tells a queue of agents or roles from somebody else's in the same Redis.
func IsQueue(name string) bool {
	_, role := RoleOf(name)
	return role || QueueAgent(name) != ""
}

// QueueAgent gives the agent that a queue belongs to, "" for a role's queue.
func QueueAgent(queue string) string {
	name, ok := strings.CutPrefix(queue, "agent:")
	if !ok {
		return ""
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}
