package redisconn

import (
	"bytes"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// errFull is what a Redis says that has no connection left. It says so unasked and
// closes, so that a client which writes first learns of a broken pipe only.
var errFull = errors.New("ERR max number of clients reached")

// farewell is how long the last words of a connection that is closed may take.
const farewell = 100 * time.Millisecond

// greeted is a new connection whose first answer may be errFull. From then on each call
// says so: the client looks for what was pushed before it reads, and ignores errors there.
type greeted struct {
	*net.TCPConn
	heard, full atomic.Bool // the first answer has come; it was errFull
}

// greet listens to the first answer. Other connections than TCP's are as they are:
// a socket of this machine is rarely full, and TLS has its own words.
func greet(conn net.Conn) net.Conn {
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &greeted{TCPConn: tcp}
	}
	return conn
}

func (g *greeted) Read(b []byte) (int, error) {
	if g.full.Load() {
		return 0, errFull
	}
	n, err := g.TCPConn.Read(b)
	if !g.heard.Swap(true) && bytes.HasPrefix(b[:n], []byte("-"+errFull.Error())) {
		g.full.Store(true)
		return 0, errFull
	}
	return n, err
}

func (g *greeted) Write(b []byte) (int, error) {
	n, err := g.TCPConn.Write(b)
	if err == nil {
		return n, nil
	}
	if !g.heard.Load() { // what it said before it closed
		var words [64]byte
		_ = g.SetReadDeadline(time.Now().Add(farewell))
		_, _ = g.Read(words[:])
	}
	if g.full.Load() {
		return n, errFull
	}
	return n, err
}
