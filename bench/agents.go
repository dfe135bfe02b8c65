package main

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/prpflow/prpflow/reliable"
)

// talkers agents have a queue each, and are sent so many messages a second, which
// they answer.
const (
	talkers = 5
	rate    = 1000
)

// agents says how long messages are under way while five agents talk, and a sixth is
// stuck with its hands full.
func agents(ctx context.Context, b *bench) error {
	stuck, err := reliable.New(b.client(), reliable.Config{Name: b.name()})
	if err != nil {
		return err
	}
	if _, err := stuck.Push(ctx, reliable.Message{}, reliable.Message{}); err != nil {
		return err
	}
	going, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_ = stuck.Consume(going, func(ctx context.Context, _ reliable.Message) error { <-ctx.Done(); return ctx.Err() }, reliable.ConsumeConfig{})
	}()
	var mu sync.Mutex
	var there, back []time.Duration
	var wg, consumers sync.WaitGroup
	for range talkers {
		to, from := b.name(), b.name()
		rdb := b.client()
		defer rdb.Close()
		in, err := reliable.New(rdb, reliable.Config{Name: to})
		if err != nil {
			return err
		}
		out, err := reliable.New(rdb, reliable.Config{Name: from})
		if err != nil {
			return err
		}
		consumers.Go(func() { // the agent
			_ = in.Consume(going, func(ctx context.Context, m reliable.Message) error {
				took := since(m.Body)
				mu.Lock()
				there = append(there, took)
				mu.Unlock()
				_, err := out.Push(ctx, reliable.Message{Body: now()})
				return err
			}, reliable.ConsumeConfig{Concurrency: 8})
		})
		consumers.Go(func() { // who asked
			_ = out.Consume(going, func(_ context.Context, m reliable.Message) error {
				took := since(m.Body)
				mu.Lock()
				back = append(back, took)
				mu.Unlock()
				return nil
			}, reliable.ConsumeConfig{Concurrency: 8})
		})
		wg.Go(func() {
			end := time.Now().Add(time.Duration(b.seconds) * time.Second)
			for next := time.Now(); next.Before(end); next = next.Add(10 * time.Millisecond) {
				time.Sleep(time.Until(next))
				list := make([]reliable.Message, rate/talkers/100)
				for i := range list {
					list[i].Body = now()
				}
				if _, err := in.Push(ctx, list...); err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	time.Sleep(time.Second)
	stop()
	consumers.Wait()
	b.printf("%d agents, %d messages/s to them and as many answers, for %d s, beside an agent that is stuck:\n\n", talkers, rate, b.seconds)
	b.printf("| way | messages | p50 | p99 | longest |\n|---|---|---|---|---|\n")
	for way, times := range map[string][]time.Duration{"to the agents": there, "back": back} {
		b.printf("| %s | %d | %s | %s | %s |\n", way, len(times), quantile(times, 0.5).Round(10*time.Microsecond), quantile(times, 0.99).Round(10*time.Microsecond), quantile(times, 1).Round(10*time.Microsecond))
	}
	return nil
}

func now() []byte { return strconv.AppendInt(nil, time.Now().UnixNano(), 10) }

func since(body []byte) time.Duration {
	n, _ := strconv.ParseInt(string(body), 10, 64)
	return time.Since(time.Unix(0, n))
}
