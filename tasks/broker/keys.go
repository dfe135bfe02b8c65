package broker

import (
	"fmt"
	"strings"

	"github.com/prpflow/prpflow/tasks"
)

// The layout of Asynq v0.26, which it documents nowhere. TestKeysAreAsynqs pins
// it: everything of a queue is under the hash tag {<queue>}.

// allQueues is the set of the queues that Asynq and asynqmon know.
const allQueues = "asynq:queues"

func taskKey(queue, id string) string       { return "asynq:{" + queue + "}:t:" + id }
func pendingKey(queue string) string        { return stateKey(queue, Pending) }
func leaseKey(queue string) string          { return "asynq:{" + queue + "}:lease" }
func pausedKey(queue string) string         { return "asynq:{" + queue + "}:paused" }
func completedKey(queue string) string      { return "asynq:{" + queue + "}:completed" }
func stateKey(q string, s TaskState) string { return "asynq:{" + q + "}:" + string(s) }

// checkQueue refuses names that would break the hash tag of the queue's keys.
func checkQueue(queue string) error {
	if queue == "" || strings.ContainsAny(queue, "{} \t\r\n") {
		return fmt.Errorf("%q is not a queue name: it must not be empty nor hold spaces or braces", queue)
	}
	return nil
}

// checkTask refuses what cannot name a task.
func checkTask(queue, jobID string) error {
	if err := checkQueue(queue); err != nil {
		return err
	}
	if jobID == "" {
		return fmt.Errorf("queue %s: %w", queue, tasks.ErrBadJobID)
	}
	return nil
}
