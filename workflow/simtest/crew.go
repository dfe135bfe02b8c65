package simtest

import "iter"

// crew keeps the coroutines of worlds that have ended for those that follow:
// a stack that has grown once need not grow again. It belongs to one goroutine.
type crew struct{ idle []*hand }

// hand is a coroutine that performs one body after the other.
type hand struct {
	body   func() // nil once it has been performed
	killed bool
	next   func() (struct{}, bool)
	stop   func()
	give   func(struct{}) bool
}

// killed unwinds a coroutine whose process has died.
type killed struct{}

// hire finds a coroutine for a body.
func (c *crew) hire(body func()) *hand {
	if n := len(c.idle); n > 0 {
		h := c.idle[n-1]
		c.idle = c.idle[:n-1]
		h.body = body
		return h
	}
	h := &hand{body: body}
	h.next, h.stop = iter.Pull(func(yield func(struct{}) bool) {
		h.give = yield
		for more := true; more; more = yield(struct{}{}) {
			h.perform()
			h.body = nil
		}
	})
	return h
}

func (h *hand) perform() {
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(killed); !is {
				panic(r)
			}
		}
	}()
	if !h.killed {
		h.body()
	}
}

// goOn lets a coroutine go on until it gives way; false: its body has ended.
func (h *hand) goOn() bool {
	h.next()
	return h.body != nil
}

// giveWay lets others go on.
func (h *hand) giveWay() {
	h.give(struct{}{})
	if h.killed {
		panic(killed{})
	}
}

// dismiss ends what a coroutine performs and keeps it for another.
func (c *crew) dismiss(h *hand) {
	if h.body != nil {
		h.killed = true
		h.next()
		h.killed = false
	}
	c.idle = append(c.idle, h)
}

// close ends the coroutines.
func (c *crew) close() {
	for _, h := range c.idle {
		h.stop()
	}
	c.idle = nil
}
