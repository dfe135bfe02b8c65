package reliable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
)

// A handler that fails is given the message again, until it is a dead letter; a
// person looks at it and puts it back.
func ExampleQueue_Consume() {
	server, err := miniredis.Run()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	if err := consume(context.Background(), rdb); err != nil {
		fmt.Println(err)
	}
	// Output:
	// delivery 1 of "charge the card"
	// delivery 2 of "charge the card"
	// dead: the bank does not answer (2 deliveries)
	// delivery 1 of "charge the card"
	// pushed 1 = done 1 + dropped 0 + dead 0 + waiting 0 + delayed 0 + taken 0, missing 0
}

func consume(ctx context.Context, rdb redis.UniversalClient) error {
	q, err := reliable.New(rdb, reliable.Config{Name: "payments", MaxAttempts: 2, Backoff: time.Millisecond})
	if err != nil {
		return err
	}
	if _, err := q.Push(ctx, reliable.Message{ID: "order-7", Body: []byte("charge the card")}); err != nil {
		return err
	}
	bank := errors.New("the bank does not answer")
	handler := func(_ context.Context, m reliable.Message) error {
		fmt.Printf("delivery %d of %q\n", m.Attempt+1, m.Body)
		return bank
	}
	until := reliable.ConsumeConfig{Idle: 200 * time.Millisecond}
	if err := q.Consume(ctx, handler, until); err != nil {
		return err
	}
	dead, err := q.Dead(ctx)
	if err != nil {
		return err
	}
	for _, d := range dead {
		fmt.Printf("dead: %s (%d deliveries)\n", d.Reason, d.Attempts)
	}
	bank = nil
	if _, err := q.Replay(ctx, "order-7"); err != nil {
		return err
	}
	if err := q.Consume(ctx, handler, until); err != nil {
		return err
	}
	books, err := q.Books(ctx)
	fmt.Println(books)
	return err
}
