package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/adjust/rmq/v5"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
)

// workers consume at a time.
const workers = 10

// batch is how many messages are asked for at a time where a contender can.
const batch = 100

// contender fills a queue and empties it.
type contender struct {
	name string
	// prepare fills a queue with the messages of a round, and gives what empties it.
	prepare func(ctx context.Context, b *bench) (empty func(ctx context.Context) error, err error)
}

func contenders() []contender {
	return []contender{
		{"floor: BLMOVE, LREM, one by one", floor(1)},
		{"floor: BLMOVE + LMOVEs, LREMs, in batches", floor(batch)},
		{"reliable: Receive, Ack, one by one", reliableBy(1)},
		{"reliable: ReceiveMany, Ack, in batches", reliableBy(batch)},
		{"reliable: Consume, ten handlers", consume(0)},
		{"reliable: Consume, ten handlers, prefetch", consume(500)},
		{"rmq: ten consumers, prefetch", rmqConsume},
		{"streams: XREADGROUP, XACK + XDEL, one by one", streams(1)},
		{"streams: XREADGROUP, XACK + XDEL, in batches", streams(batch)},
	}
}

// throughput says how many messages a second are consumed and acknowledged.
func throughput(ctx context.Context, b *bench) error {
	all := contenders()
	rates := make([][]float64, len(all))
	for range b.rounds {
		for i, c := range all {
			empty, err := c.prepare(ctx, b)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			began := time.Now()
			if err := empty(ctx); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			rates[i] = append(rates[i], float64(b.messages)/time.Since(began).Seconds())
			if err := b.rdb.FlushAll(ctx).Err(); err != nil { // the server is this run's own
				return err
			}
		}
	}
	b.printf("%d messages of %d bytes, %d workers in one process, median of %d rounds:\n\n", b.messages, b.size, workers, b.rounds)
	b.printf("| contender | messages/s | of its floor |\n|---|---|---|\n")
	var floors [2]float64
	for i, c := range all {
		m := median(rates[i])
		if i < 2 {
			floors[i] = m
		}
		of := floors[0]
		if i == 1 || i == 3 || i == 5 || i == 8 {
			of = floors[1]
		}
		b.printf("| %s | %.0f | %.2f |\n", c.name, m, m/of)
	}
	return nil
}

// each runs ten workers until all messages of the round are done.
func each(b *bench, work func(i int, left *atomic.Int64) error) error {
	var left atomic.Int64
	left.Store(int64(b.messages))
	errs := make(chan error, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for left.Load() > 0 {
				if err := work(i, &left); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

func floor(n int) func(ctx context.Context, b *bench) (func(context.Context) error, error) {
	return func(ctx context.Context, b *bench) (func(context.Context) error, error) {
		queue, body := b.name(), b.body()
		for done := 0; done < b.messages; done += 1000 {
			values := make([]any, min(1000, b.messages-done))
			for i := range values {
				values[i] = fmt.Sprintf("%08d%s", done+i, body)
			}
			if err := b.rdb.LPush(ctx, queue, values...).Err(); err != nil {
				return nil, err
			}
		}
		return func(ctx context.Context) error {
			return each(b, func(i int, left *atomic.Int64) error {
				taken := fmt.Sprint(queue, ":", i)
				var got []string
				if n == 1 {
					v, err := b.rdb.BLMove(ctx, queue, taken, "RIGHT", "LEFT", time.Second).Result()
					if errors.Is(err, redis.Nil) {
						return nil
					}
					if err != nil {
						return err
					}
					got = []string{v}
				} else {
					pipe := b.rdb.Pipeline()
					cmds := make([]*redis.StringCmd, n)
					for j := range n {
						cmds[j] = pipe.LMove(ctx, queue, taken, "RIGHT", "LEFT")
					}
					if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
						return err
					}
					for _, c := range cmds {
						if c.Err() == nil {
							got = append(got, c.Val())
						}
					}
				}
				pipe := b.rdb.Pipeline()
				for _, v := range got {
					pipe.LRem(ctx, taken, -1, v)
				}
				left.Add(-int64(len(got)))
				if len(got) == 0 {
					return nil
				}
				_, err := pipe.Exec(ctx)
				return err
			})
		}, nil
	}
}

// filled is a queue of ours with the messages of a round.
func filled(ctx context.Context, b *bench, n int) (name string, err error) {
	name = b.name()
	q, err := reliable.New(b.rdb, reliable.Config{Name: name})
	if err != nil {
		return "", err
	}
	for done := 0; done < n; done += 500 {
		list := make([]reliable.Message, min(500, n-done))
		for i := range list {
			list[i].Body = b.body()
		}
		if _, err := q.Push(ctx, list...); err != nil {
			return "", err
		}
	}
	return name, nil
}

func reliableBy(n int) func(ctx context.Context, b *bench) (func(context.Context) error, error) {
	return func(ctx context.Context, b *bench) (func(context.Context) error, error) {
		name, err := filled(ctx, b, b.messages)
		if err != nil {
			return nil, err
		}
		var queues []*reliable.Queue
		for range workers {
			q, err := reliable.New(b.rdb, reliable.Config{Name: name})
			if err != nil {
				return nil, err
			}
			queues = append(queues, q)
		}
		return func(ctx context.Context) error {
			return each(b, func(i int, left *atomic.Int64) error {
				got, err := queues[i].ReceiveMany(ctx, n, 0)
				if errors.Is(err, reliable.ErrEmpty) {
					return nil
				}
				if err != nil {
					return err
				}
				ids := make([]string, len(got))
				for j, m := range got {
					ids[j] = m.ID
				}
				left.Add(-int64(len(got)))
				return queues[i].Ack(ctx, ids...)
			})
		}, nil
	}
}

func consume(prefetch int) func(ctx context.Context, b *bench) (func(context.Context) error, error) {
	return func(ctx context.Context, b *bench) (func(context.Context) error, error) {
		name, err := filled(ctx, b, b.messages)
		if err != nil {
			return nil, err
		}
		q, err := reliable.New(b.rdb, reliable.Config{Name: name})
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			return q.Consume(ctx, func(context.Context, reliable.Message) error { return nil },
				reliable.ConsumeConfig{Concurrency: workers, Prefetch: prefetch, Limit: b.messages})
		}, nil
	}
}

func rmqConsume(ctx context.Context, b *bench) (func(context.Context) error, error) {
	errs := make(chan error, 100)
	conn, err := rmq.OpenConnectionWithRedisClient("bench", b.rdb, errs)
	if err != nil {
		return nil, err
	}
	name := b.name()
	queue, err := conn.OpenQueue(name)
	if err != nil {
		return nil, err
	}
	for done := 0; done < b.messages; done += 500 {
		list := make([]string, min(500, b.messages-done))
		for i := range list {
			list[i] = fmt.Sprintf("%08d%s", done+i, b.body())
		}
		if err := queue.Publish(list...); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) error {
		var left atomic.Int64
		left.Store(int64(b.messages))
		all := make(chan struct{})
		if err := queue.StartConsuming(1000, time.Millisecond); err != nil {
			return err
		}
		for i := range workers {
			_, err := queue.AddConsumerFunc(fmt.Sprint("c", i), func(d rmq.Delivery) {
				if err := d.Ack(); err == nil && left.Add(-1) == 0 {
					close(all)
				}
			})
			if err != nil {
				return err
			}
		}
		select {
		case <-all:
		case <-ctx.Done():
		}
		<-queue.StopConsuming()
		<-conn.StopAllConsuming()
		return ctx.Err()
	}, nil
}

func streams(n int) func(ctx context.Context, b *bench) (func(context.Context) error, error) {
	return func(ctx context.Context, b *bench) (func(context.Context) error, error) {
		stream, body := b.name(), b.body()
		if err := b.rdb.XGroupCreateMkStream(ctx, stream, "g", "0").Err(); err != nil {
			return nil, err
		}
		pipe := b.rdb.Pipeline()
		for i := range b.messages {
			pipe.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{"body", body}})
			if pipe.Len() == 1000 || i == b.messages-1 {
				if _, err := pipe.Exec(ctx); err != nil {
					return nil, err
				}
			}
		}
		return func(ctx context.Context) error {
			return each(b, func(i int, left *atomic.Int64) error {
				got, err := b.rdb.XReadGroup(ctx, &redis.XReadGroupArgs{
					Group: "g", Consumer: fmt.Sprint("c", i), Streams: []string{stream, ">"}, Count: int64(n), Block: 10 * time.Millisecond,
				}).Result()
				if errors.Is(err, redis.Nil) {
					return nil
				}
				if err != nil {
					return err
				}
				var ids []string
				for _, m := range got[0].Messages {
					ids = append(ids, m.ID)
				}
				left.Add(-int64(len(ids)))
				pipe := b.rdb.Pipeline()
				pipe.XAck(ctx, stream, "g", ids...)
				pipe.XDel(ctx, stream, ids...)
				_, err = pipe.Exec(ctx)
				return err
			})
		}, nil
	}
}
