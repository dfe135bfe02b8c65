package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
)

// info reads a number out of INFO.
func (b *bench) info(ctx context.Context, section, field string) (float64, error) {
	text, err := b.rdb.Info(ctx, section).Result()
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(text, field+":")
	if !ok {
		return 0, fmt.Errorf("INFO has no %s", field)
	}
	value, _, _ := strings.Cut(rest, "\r")
	return strconv.ParseFloat(value, 64)
}

func (b *bench) commands(ctx context.Context) (float64, error) {
	return b.info(ctx, "stats", "total_commands_processed")
}

// depths are how many messages wait while an operation is measured.
var depths = []int{1_000, 1_000_000}

// flat says what an operation costs while few and many messages wait.
func flat(ctx context.Context, b *bench) error {
	const steps = 3000
	type op struct {
		name string
		run  func(q *reliable.Queue) error
	}
	var ids []string
	ops := []op{
		{"push", func(q *reliable.Queue) error {
			_, err := q.Push(ctx, reliable.Message{Body: b.body()})
			return err
		}},
		{"receive", func(q *reliable.Queue) error {
			m, err := q.Receive(ctx, 0)
			ids = append(ids, m.ID)
			return err
		}},
		{"acknowledge", func(q *reliable.Queue) error {
			id := ids[0]
			ids = ids[1:]
			return q.Ack(ctx, id)
		}},
	}
	var queues []*reliable.Queue
	for _, n := range depths {
		name, err := filled(ctx, b, n)
		if err != nil {
			return err
		}
		q, err := reliable.New(b.rdb, reliable.Config{Name: name, Lease: time.Hour})
		if err != nil {
			return err
		}
		queues = append(queues, q)
	}
	b.printf("mean of %d calls, one at a time, alternating between the two queues, median of %d rounds:\n\n| call | with %d waiting | with %d waiting | ratio |\n|---|---|---|---|\n", steps, b.rounds, depths[0], depths[1])
	held := make([][]string, len(queues))
	for _, o := range ops {
		times := make([][]float64, len(queues))
		for range b.rounds {
			for i, q := range queues {
				ids = held[i]
				began := time.Now()
				for range steps / b.rounds {
					if err := o.run(q); err != nil {
						return err
					}
				}
				times[i] = append(times[i], time.Since(began).Seconds()/float64(steps/b.rounds)*1e6)
				held[i] = ids
			}
		}
		few, many := median(times[0]), median(times[1])
		b.printf("| %s | %.1f µs | %.1f µs | %.2f |\n", o.name, few, many, many/few)
	}
	return b.rdb.FlushAll(ctx).Err()
}

// memory says what a waiting message takes, against a list of the same texts.
func memory(ctx context.Context, b *bench) error {
	const n, size = 100_000, 1024
	text := strings.Repeat("x", size)
	if err := b.rdb.FlushAll(ctx).Err(); err != nil {
		return err
	}
	used := func() (float64, error) { return b.info(ctx, "memory", "used_memory") }
	empty, err := used()
	if err != nil {
		return err
	}
	list := b.name()
	for range n / 1000 {
		values := make([]any, 1000)
		for i := range values {
			values[i] = text
		}
		if err := b.rdb.LPush(ctx, list, values...).Err(); err != nil {
			return err
		}
	}
	full, err := used()
	if err != nil {
		return err
	}
	raw := (full - empty) / n
	if err := b.rdb.FlushAll(ctx).Err(); err != nil {
		return err
	}
	if empty, err = used(); err != nil {
		return err
	}
	q, err := reliable.New(b.rdb, reliable.Config{Name: b.name(), Dedup: 2 * time.Second})
	if err != nil {
		return err
	}
	for range n / 500 {
		values := make([]reliable.Message, 500)
		for i := range values {
			values[i].Body = []byte(text)
		}
		if _, err := q.Push(ctx, values...); err != nil {
			return err
		}
	}
	if full, err = used(); err != nil {
		return err
	}
	fresh := (full - empty) / n
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Second) { // until Redis has forgotten the marks
		if size, err := b.rdb.DBSize(ctx).Result(); err != nil || size < 100 {
			break
		}
	}
	if full, err = used(); err != nil {
		return err
	}
	later := (full - empty) / n
	if err := b.rdb.FlushAll(ctx).Err(); err != nil {
		return err
	}
	if empty, err = used(); err != nil {
		return err
	}
	stream := b.name()
	for range n / 1000 {
		pipe := b.rdb.Pipeline()
		for range 1000 {
			pipe.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{"body", text}})
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
	}
	if full, err = used(); err != nil {
		return err
	}
	b.printf("a stream's entry of %d bytes takes %.0f B; ", size, (full-empty)/n)
	b.printf("a waiting message of %d bytes, mean of %d:\n\n| raw list | in its window against doubles | after it |\n|---|---|---|\n| %.0f B | %.0f B (%.2f) | %.0f B (%.2f) |\n", size, n, raw, fresh, fresh/raw, later, later/raw)
	return b.rdb.FlushAll(ctx).Err()
}
