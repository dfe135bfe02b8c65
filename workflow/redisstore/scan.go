package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
)

// Scan gives about limit ids after a cursor: one partition after the other.
func (s *Store) Scan(ctx context.Context, cursor string, limit int) (ids []string, next string, err error) {
	return s.scan(ctx, cursor, func(p int, at uint64) ([]string, uint64, error) {
		return s.rdb.SScan(ctx, indexKey(p), at, "", int64(limit)).Result()
	})
}

// Published counts the jobs that are out.
func (s *Store) Published(ctx context.Context) (int64, error) {
	counts, err := perPartition(ctx, s, func(pipe redis.Pipeliner, p int) *redis.IntCmd { return pipe.HLen(ctx, publishedKey(p)) })
	if err != nil {
		return 0, failure("published", "", err)
	}
	var n int64
	for _, c := range counts {
		n += c.Val()
	}
	return n, nil
}

// ScanPublished gives about limit of the jobs that are out, after a cursor.
func (s *Store) ScanPublished(ctx context.Context, cursor string, limit int) (jobs []tasks.JobRef, next string, err error) {
	flat, next, err := s.scan(ctx, cursor, func(p int, at uint64) ([]string, uint64, error) {
		return s.rdb.HScan(ctx, publishedKey(p), at, "", int64(limit)).Result()
	})
	for i := 0; i+1 < len(flat); i += 2 {
		jobs = append(jobs, tasks.JobRef{Job: flat[i], Queue: flat[i+1]})
	}
	return jobs, next, err
}

// Unpublish forgets jobs that are no longer those of their records.
func (s *Store) Unpublish(ctx context.Context, jobs []string) error {
	pipe := s.rdb.Pipeline()
	for _, job := range jobs {
		id, _, err := tasks.ParseJobID(job)
		if err != nil {
			return fmt.Errorf("redisstore: unpublish: %w", err)
		}
		pipe.HDel(ctx, publishedKey(s.partition(id)), job)
	}
	if pipe.Len() == 0 {
		return nil
	}
	_, err := pipe.Exec(ctx)
	return failure("unpublish", "", err)
}

// scan goes on in the partition that the cursor "<partition>:<cursor of Redis>"
// names.
func (s *Store) scan(ctx context.Context, cursor string, step func(p int, at uint64) ([]string, uint64, error)) ([]string, string, error) {
	p, at := 0, uint64(0)
	if cursor != "" {
		partition, rest, _ := strings.Cut(cursor, ":")
		var perr, cerr error
		p, perr = strconv.Atoi(partition)
		at, cerr = strconv.ParseUint(rest, 10, 64)
		if perr != nil || cerr != nil || p < 0 || p >= s.cfg.Partitions {
			return nil, "", fmt.Errorf("redisstore: scan: %q is no cursor", cursor)
		}
	}
	found, at, err := step(p, at)
	if err != nil {
		return nil, cursor, failure("scan", tag(p), err)
	}
	if at == 0 {
		p++
	}
	if p >= s.cfg.Partitions {
		return found, "", nil
	}
	return found, fmt.Sprintf("%d:%d", p, at), nil
}
