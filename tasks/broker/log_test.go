package broker

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/prpflow/prpflow/tasks"
)

func TestOutageIsOneWarning(t *testing.T) {
	bubble(t, func(t *testing.T, m *miniredis.Miniredis, b *Broker) {
		var out bytes.Buffer // written by one bubble's goroutines, one at a time
		b.asynqLog.log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))
		for range 3 {
			serve(t, b, ServeConfig{Queues: []string{"q", "r"}, Handle: func(context.Context, tasks.Order) error { return tasks.ErrStale }})
		}
		enqueue(t, b, "q", 1) // "revoke task" is a warning of Asynq's
		time.Sleep(time.Minute)
		if out.Len() > 0 {
			t.Errorf("without an outage: %s", out.String())
		}
		m.SetError("the network is away")
		time.Sleep(29 * time.Second)
		m.SetError("")
		if n := strings.Count(out.String(), "\n"); n != 1 {
			t.Errorf("%d warnings:\n%s", n, out.String())
		}
	})
}
