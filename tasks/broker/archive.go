package broker

import (
	"context"
	"fmt"
)

// trimChunk bounds how many archived tasks one call of the script deletes.
const trimChunk = 200

// TrimArchive drops the oldest archived tasks of every queue of ours until each archive
// holds less than Config.ArchiveLimit. Call it now and then: Asynq's own
// trimming, at 10,000, corrupts an archive of more than about 8,000 old tasks.
func (b *Broker) TrimArchive(ctx context.Context) error {
	names, err := b.names(ctx)
	if err != nil {
		return fmt.Errorf("broker: trim archives: %w", err)
	}
	for _, q := range names {
		if err := b.trim(ctx, q); err != nil {
			return fmt.Errorf("broker: trim the archive of %s: %w", q, err)
		}
	}
	return nil
}

func (b *Broker) trim(ctx context.Context, queue string) error {
	key := stateKey(queue, Archived)
	for {
		size, err := b.rdb.ZCard(ctx, key).Result()
		if err != nil {
			return err
		}
		extra := min(size-int64(b.archiveLimit)+1, trimChunk)
		if extra <= 0 {
			return nil
		}
		ids, err := b.rdb.ZRange(ctx, key, 0, extra-1).Result()
		if err != nil {
			return err
		}
		keys, args := []string{key}, make([]any, len(ids))
		for i, id := range ids {
			keys, args[i] = append(keys, taskKey(queue, id)), id
		}
		if err := b.scripts.trim.Run(ctx, b.rdb, keys, args...).Err(); err != nil {
			return err
		}
	}
}
