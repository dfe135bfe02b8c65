package redistest

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Wire is a network between a client and a server that a test may break.
type Wire struct {
	// Addr is where a client finds the server.
	Addr string

	mu    sync.Mutex
	conns []net.Conn
	deaf  bool          // answers are swallowed
	down  bool          // there is no connection
	late  time.Duration // by which each answer comes later
}

// NewWire lays a wire to a server until the end of the test.
func NewWire(t testing.TB, server string) *Wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{Addr: l.Addr().String()}
	t.Cleanup(func() { _ = l.Close(); w.Cut() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			w.join(near, server)
		}
	}()
	return w
}

func (w *Wire) join(near net.Conn, server string) {
	far, err := net.Dial("tcp", server)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || w.down {
		_ = near.Close()
		if far != nil {
			_ = far.Close()
		}
		return
	}
	w.conns = append(w.conns, near)
	go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
	go w.answer(near, far)
}

// piece is a part of an answer, and when it may arrive.
type piece struct {
	at    time.Time
	bytes []byte
}

func (w *Wire) answer(near, far net.Conn) {
	defer func() { _ = near.Close() }()
	under := make(chan piece, 1<<12) // what is under way: late answers hold up no others
	defer close(under)
	go func() {
		for p := range under {
			time.Sleep(time.Until(p.at))
			_, _ = near.Write(p.bytes)
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := far.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		deaf, late := w.deaf, w.late
		w.mu.Unlock()
		if !deaf {
			under <- piece{time.Now().Add(late), bytes.Clone(buf[:n])}
		}
	}
}

// Slow makes each answer come later.
func (w *Wire) Slow(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late = by
}

// Deafen lets commands through, and swallows what the server answers.
func (w *Wire) Deafen() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = true
}

// Cut ends all connections and refuses new ones.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// Mend makes the wire as it was; connections that were cut stay so.
func (w *Wire) Mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf, w.down, w.late = false, false, 0
}
