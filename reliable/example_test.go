package reliable_test

import (
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
)

// A worker dies with a message in hand, and another one gets it.
func Example() {
	server, err := miniredis.Run()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	if err := handOver(context.Background(), rdb); err != nil {
		fmt.Println(err)
	}
	// Output:
	// first took "hello", attempt 0
	// second took "hello", attempt 1
	// 0 waiting, 0 taken
}

func handOver(ctx context.Context, rdb redis.UniversalClient) error {
	first, err := reliable.New(rdb, reliable.Config{Name: "mail", Worker: "first"})
	if err != nil {
		return err
	}
	second, err := reliable.New(rdb, reliable.Config{Name: "mail", Worker: "second"})
	if err != nil {
		return err
	}
	if _, err := first.Push(ctx, reliable.Message{ID: "m1", Body: []byte("hello")}); err != nil {
		return err
	}
	m, err := first.Receive(ctx, 0)
	if err != nil {
		return err
	}
	fmt.Printf("first took %q, attempt %d\n", m.Body, m.Attempt)

	if _, err := second.Reap(ctx, "first"); err != nil { // it is known to be dead
		return err
	}
	if m, err = second.Receive(ctx, 0); err != nil {
		return err
	}
	fmt.Printf("second took %q, attempt %d\n", m.Body, m.Attempt)
	if err := second.Ack(ctx, m.ID); err != nil {
		return err
	}
	d, err := second.Depth(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d waiting, %d taken\n", d.Waiting, d.Taken)
	return nil
}
