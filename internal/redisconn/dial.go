package redisconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

const (
	firstWait = 50 * time.Millisecond
	lastWait  = 5 * time.Second
)

// Backoff gives the wait before the n-th try to reconnect, n from 1: 50 ms
// doubled up to 5 s, of which up to a half is taken off by chance.
func Backoff(n int) time.Duration {
	wait := lastWait
	if n < 8 { // 50 ms << 7 is over 5 s
		wait = min(firstWait<<max(n-1, 0), lastWait)
	}
	return wait - rand.N(wait/2)
}

// connect dials once, and shakes hands where TLS is asked for.
func connect(ctx context.Context, timeout time.Duration, secure *TLS, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if secure == nil {
		return greet(conn), nil
	}
	config, err := secure.config(addr)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	sealed := tls.Client(conn, config)
	if err := sealed.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error is the one to tell
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", errHandshake, err)
		}
		return nil, err
	}
	return sealed, nil
}

// pause waits, or ends early with the context.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// patient is the dialer of long-lived clients. Whoever dials an address that
// failed waits for its turn, so that a pool of callers does not hammer a server
// that is starting.
type patient struct {
	secure *TLS
	mu     sync.Mutex
	seen   map[string]*outage
}

// outage is a run of failed dials of one address.
type outage struct {
	fails int
	next  time.Time
	err   error
}

func newPatient(secure *TLS) *patient {
	return &patient{secure: secure, seen: map[string]*outage{}}
}

func (p *patient) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	wait, last := p.turn(addr)
	if err := pause(ctx, wait); err != nil {
		if last != nil {
			return nil, last // why it waited says more than that it waited
		}
		return nil, err
	}
	conn, err := connect(ctx, lastWait, p.secure, network, addr)
	p.note(addr, err)
	return conn, err
}

func (p *patient) turn(addr string) (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o := p.seen[addr]; o != nil {
		return time.Until(o.next), o.err
	}
	return 0, nil
}

func (p *patient) note(addr string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		delete(p.seen, addr)
		return
	}
	o := p.seen[addr]
	if o == nil {
		o = &outage{}
		p.seen[addr] = o
	}
	o.err = err
	if now := time.Now(); !now.Before(o.next) { // else another dial of this turn has counted
		o.fails++
		o.next = now.Add(Backoff(o.fails))
	}
}

// hurried is the dialer of interactive clients: it tries again for as long as
// patience lasts, once in the life of the client, so that a verb of many
// commands does not wait many times.
type hurried struct {
	secure *TLS
	again  bool // with several hosts, go-redis itself goes on to the next
	mu     sync.Mutex
	until  time.Time // of the present outage; zero while there is none
}

func newHurried(secure *TLS, again bool) *hurried {
	return &hurried{secure: secure, again: again}
}

func (h *hurried) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	until := h.deadline()
	for n := 1; ; n++ {
		conn, err := connect(ctx, max(time.Until(until), firstWait), h.secure, network, addr)
		if err == nil {
			h.calm()
			return conn, nil
		}
		wait := Backoff(n)
		if !h.again || time.Until(until) < wait || pause(ctx, wait) != nil {
			return nil, err
		}
	}
}

func (h *hurried) deadline() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.until.IsZero() {
		h.until = time.Now().Add(patience)
	}
	return h.until
}

func (h *hurried) calm() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.until = time.Time{}
}
