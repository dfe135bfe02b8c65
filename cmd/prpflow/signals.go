package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// interrupts is what the signals of the outside ask for: the first ends what goes on in
// order, a second Ctrl-C or SIGTERM ends it at once, and a third kills the process.
type interrupts struct {
	hurry chan struct{} // closed by the second
}

// listenForSignals gives a context that ends with the first signal. One that whoever
// started the process had it ignore, as nohup does, stays ignored.
func listenForSignals(ctx context.Context) (_ context.Context, i *interrupts, cancel context.CancelFunc) {
	ctx, cancel = context.WithCancel(ctx)
	var heard []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			heard = append(heard, s)
		}
	}
	i = &interrupts{hurry: make(chan struct{})}
	if len(heard) == 0 {
		return ctx, i, cancel
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, heard...)
	go func() {
		<-signals
		cancel()
		for s := range signals {
			if s != syscall.SIGHUP { // service managers send one after a SIGTERM
				break
			}
		}
		close(i.hurry)
		signal.Stop(signals)
	}()
	return ctx, i, cancel
}

// hurried gives a context that ends with the second signal. It outlives ctx.
func (i *interrupts) hurried(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if i != nil {
		go func() {
			select {
			case <-i.hurry:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	return ctx, cancel
}
