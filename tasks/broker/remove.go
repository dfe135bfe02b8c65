package broker

import (
	"context"
	"fmt"
)

// Remove takes the task of a job out of a queue, in whatever state it is; one
// that is absent is a success. A handler that runs it is not stopped, and what
// it answers no longer matters.
//
// Asynq's Inspector refuses an active task, and fails where a hash is gone.
func (b *Broker) Remove(ctx context.Context, queue, jobID string) error {
	if err := checkTask(queue, jobID); err != nil {
		return fmt.Errorf("broker: remove: %w", err)
	}
	keys := []string{
		pendingKey(queue), stateKey(queue, Active), leaseKey(queue), stateKey(queue, Scheduled),
		stateKey(queue, Retry), stateKey(queue, Archived), completedKey(queue), taskKey(queue, jobID),
	}
	if err := b.scripts.remove.Run(ctx, b.rdb, keys, jobID).Err(); err != nil {
		return fmt.Errorf("broker: remove %s from %s: %w", jobID, queue, err)
	}
	return nil
}
