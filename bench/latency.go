package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
)

// picks is how many messages are sent to a worker that waits.
const picks = 1000

// latency says how soon a worker that waits has a message, and what waiting costs.
func latency(ctx context.Context, b *bench) error {
	var pings, got []time.Duration
	name := b.name()
	push, err := reliable.New(b.rdb, reliable.Config{Name: name})
	if err != nil {
		return err
	}
	other := b.client()
	defer other.Close()
	take, err := reliable.New(other, reliable.Config{Name: name})
	if err != nil {
		return err
	}
	arrived := make(chan time.Time)
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for {
			m, err := take.Receive(waiting, -1)
			if err != nil {
				close(arrived)
				return
			}
			arrived <- time.Now()
			_ = take.Ack(waiting, m.ID)
		}
	}()
	for range picks {
		time.Sleep(2 * time.Millisecond) // as long as before the message: an idle processor wakes slowly
		began := time.Now()
		if err := b.rdb.Ping(ctx).Err(); err != nil {
			return err
		}
		pings = append(pings, time.Since(began))
		time.Sleep(2 * time.Millisecond) // it has acknowledged and waits again
		began = time.Now()
		if _, err := push.Push(ctx, reliable.Message{Body: b.body()}); err != nil {
			return err
		}
		at, ok := <-arrived
		if !ok {
			return fmt.Errorf("the worker has ended")
		}
		got = append(got, at.Sub(began))
	}
	stream, err := b.streamLatency(ctx)
	if err != nil {
		return err
	}
	before, err := b.commands(ctx)
	if err != nil {
		return err
	}
	time.Sleep(10 * time.Second)
	after, err := b.commands(ctx)
	if err != nil {
		return err
	}
	p50, p99 := quantile(got, 0.5), quantile(got, 0.99)
	b.printf("%d messages, one at a time, from before Push until Receive has returned; a PING between them takes %s (p50), %s (p99):\n\n", picks, quantile(pings, 0.5).Round(time.Microsecond), quantile(pings, 0.99).Round(time.Microsecond))
	b.printf("| p50 | p99 | p50 in PINGs | commands/s of an idle worker, inner ones of scripts counted |\n|---|---|---|---|\n| %s | %s | %.1f | %.1f |\n",
		p50.Round(time.Microsecond), p99.Round(time.Microsecond), float64(p50)/float64(quantile(pings, 0.5)), (after-before)/10)
	b.printf("\nXADD until XREADGROUP BLOCK has returned: %s (p50), %s (p99)\n", quantile(stream, 0.5).Round(time.Microsecond), quantile(stream, 0.99).Round(time.Microsecond))
	return nil
}

// streamLatency is the same for a stream.
func (b *bench) streamLatency(ctx context.Context) (got []time.Duration, err error) {
	stream := b.name()
	if err := b.rdb.XGroupCreateMkStream(ctx, stream, "g", "0").Err(); err != nil {
		return nil, err
	}
	other := b.client()
	defer other.Close()
	arrived := make(chan time.Time)
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer close(arrived)
		for waiting.Err() == nil {
			list, err := other.XReadGroup(waiting, &redis.XReadGroupArgs{Group: "g", Consumer: "c", Streams: []string{stream, ">"}, Count: 1, Block: time.Second}).Result()
			if err != nil {
				if errors.Is(err, redis.Nil) {
					continue
				}
				return
			}
			select {
			case arrived <- time.Now():
			case <-waiting.Done():
				return
			}
			_ = other.XAck(waiting, stream, "g", list[0].Messages[0].ID).Err()
		}
	}()
	for range picks {
		time.Sleep(2 * time.Millisecond)
		began := time.Now()
		if err := b.rdb.XAdd(ctx, &redis.XAddArgs{Stream: stream, Values: []any{"body", b.body()}}).Err(); err != nil {
			return nil, err
		}
		at, ok := <-arrived
		if !ok {
			return nil, errors.New("the reader has ended")
		}
		got = append(got, at.Sub(began))
	}
	return got, nil
}
