package broker

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"
)

// errGate is the answer to whatever is asked after the end.
var errGate = errors.New("broker: the server is shut down")

// gate ends what a client waits for without closing it: no connection is made any
// more, and no command is sent.
type gate struct {
	shut chan struct{}
	once sync.Once
}

func newGate() *gate { return &gate{shut: make(chan struct{})} }

func (g *gate) close() { g.once.Do(func() { close(g.shut) }) }

func (g *gate) closed() bool {
	select {
	case <-g.shut:
		return true
	default:
		return false
	}
}

// DialHook ends a dial that is under way.
func (g *gate) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if g.closed() {
			return nil, errGate
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		go func() {
			select {
			case <-g.shut:
				cancel(errGate)
			case <-ctx.Done():
			}
		}()
		return next(ctx, network, addr)
	}
}

// ProcessHook sends nothing more.
func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if g.closed() {
			cmd.SetErr(errGate)
			return errGate
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook sends nothing more.
func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if g.closed() {
			for _, cmd := range cmds {
				cmd.SetErr(errGate)
			}
			return errGate
		}
		return next(ctx, cmds)
	}
}
