package engine

import (
	"context"
	"sync"
)

// Each calls f for each number below n, several at a time, and answers each
// one's error. Once ctx has ended, the rest is not begun and has its error.
func (e *Engine) Each(ctx context.Context, n int, f func(i int) error) []error {
	errs := make([]error, n)
	if e.cfg.Parallel == 1 || n == 1 {
		for i := range n {
			if errs[i] = ctx.Err(); errs[i] == nil {
				errs[i] = f(i)
			}
		}
		return errs
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(e.cfg.Parallel, n) {
		wg.Go(func() {
			for i := range next {
				if errs[i] = ctx.Err(); errs[i] == nil {
					errs[i] = f(i)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return errs
}
