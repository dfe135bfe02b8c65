package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

// condition is a state that a Redis may be in.
type condition struct {
	name, title, about string
	bring              func(w *world) trouble
}

// trouble is what a world has then.
type trouble struct {
	address string // of the Redis, where it is another one
	passes  func() // ends the state; nil where nobody waits for that
}

var conditions = []condition{
	{"full", "Out of memory", "`maxmemory` is reached and the policy is `noeviction`.", func(w *world) trouble {
		rdb := w.redis.Client()
		w.may(rdb.Set(w.t.Context(), "ballast", strings.Repeat("x", 2<<20), 0).Err())
		return w.setting("maxmemory", "1mb", "0")
	}},
	{"misconf", "Cannot save to its disk", "A background save has failed, and `stop-writes-on-bgsave-error` is `yes`.", brokenDisk},
	{"noreplicas", "Too few replicas", "There are fewer replicas than `min-replicas-to-write` asks for.", func(w *world) trouble {
		return w.setting("min-replicas-to-write", "1", "0")
	}},
	{"replica", "A read-only replica", "The address names a replica, as it does before and during a failover.", func(w *world) trouble {
		return w.replica()
	}},
	{"masterdown", "A replica without its master", "The same, with `replica-serve-stale-data no`.", func(w *world) trouble {
		w.setting("replica-serve-stale-data", "no", "yes")
		return w.replica()
	}},
	{"loading", "Loading its data", "Redis was started a moment ago and reads its files.", func(w *world) trouble {
		l := newLoading(w)
		return trouble{"redis://" + l.addr, l.done}
	}},
	{"maxclients", "No connection left", "There are as many clients as `maxclients` allows.", func(w *world) trouble {
		conn := w.redis.Client().(interface{ Conn() *redis.Conn }).Conn()
		w.may(conn.ConfigSet(w.t.Context(), "maxclients", "1").Err())
		return trouble{passes: func() { w.may(conn.ConfigSet(w.t.Context(), "maxclients", "1000").Err()) }}
	}},
	{"wrongpass", "A wrong password", "The address has a password, and it is not the right one.", func(w *world) trouble {
		w.setting("requirepass", "right", "")
		return trouble{address: "redis://:wrong@" + w.redis.Addr}
	}},
	{"noauth", "No password", "Redis asks for a password, and the address has none.", func(w *world) trouble {
		return trouble{address: w.setting("requirepass", "right", "").address}
	}},
	{"nochannels", "A user without channels", "`ACL SETUSER ann on >pw ~* +@all resetchannels`", func(w *world) trouble {
		return w.user("~*", "+@all", "resetchannels")
	}},
	{"noclient", "A user who may not send CLIENT", "`ACL SETUSER ann on >pw ~* &* +@all -client`", func(w *world) trouble {
		return w.user("~*", "&*", "+@all", "-client")
	}},
	{"readonly", "A user who may only read", "`ACL SETUSER ann on >pw ~* &* +@all -@write`", func(w *world) trouble {
		return w.user("~*", "&*", "+@all", "-@write")
	}},
	{"noscripts", "A user without scripts", "`ACL SETUSER ann on >pw ~* &* +@all -@scripting`", func(w *world) trouble {
		return w.user("~*", "&*", "+@all", "-@scripting")
	}},
	{"nokeys", "A user without the keys", "`ACL SETUSER ann on >pw ~other:* &* +@all`", func(w *world) trouble {
		return w.user("~other:*", "&*", "+@all")
	}},
}

// setting changes a setting of the Redis, until it passes.
func (w *world) setting(name, value, back string) trouble {
	rdb := w.redis.Client()
	w.may(rdb.ConfigSet(w.t.Context(), name, value).Err())
	return trouble{passes: func() { w.may(rdb.ConfigSet(w.t.Context(), name, back).Err()) }}
}

// replica makes the Redis one, of a master that is not there.
func (w *world) replica() trouble {
	rdb := w.redis.Client()
	w.may(rdb.Do(w.t.Context(), "REPLICAOF", "127.0.0.1", "1").Err())
	return trouble{passes: func() { w.may(rdb.Do(w.t.Context(), "REPLICAOF", "NO", "ONE").Err()) }}
}

// user makes one with these rights; nobody waits for rights.
func (w *world) user(rights ...string) trouble {
	args := []any{"ACL", "SETUSER", "ann", "on", ">pw"}
	for _, right := range rights {
		args = append(args, right)
	}
	w.may(w.redis.Client().Do(w.t.Context(), args...).Err())
	return trouble{address: "redis://ann:pw@" + w.redis.Addr}
}

// brokenDisk has a folder where the file of a save is to be: whoever the server runs
// as, it cannot put one in the place of the other.
func brokenDisk(w *world) trouble {
	ctx, rdb := w.t.Context(), w.redis.Client()
	where, err := rdb.ConfigGet(ctx, "dir").Result()
	w.may(err)
	inTheWay := filepath.Join(where["dir"], "dump.rdb")
	w.may(os.RemoveAll(inTheWay))
	w.may(os.MkdirAll(filepath.Join(inTheWay, "full"), 0o755))
	w.may(rdb.ConfigSet(ctx, "save", "3600 1").Err())
	save := func(status string) {
		w.eventually(soon, "a save is "+status, func() bool {
			_ = rdb.BgSave(ctx).Err() // one may be under way
			time.Sleep(100 * time.Millisecond)
			return strings.Contains(rdb.Info(ctx, "persistence").Val(), "rdb_last_bgsave_status:"+status)
		})
	}
	save("err")
	return trouble{passes: func() {
		w.may(os.RemoveAll(inTheWay))
		save("ok")
	}}
}

// loading answers as a Redis that loads its data, and at last is the real one.
type loading struct {
	addr string
	real string
	mu   sync.Mutex
	over bool
	near []net.Conn
}

func newLoading(w *world) *loading {
	wire := redistest.NewWire(w.t, w.redis.Addr)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.may(err)
	w.t.Cleanup(func() { _ = listener.Close() })
	l := &loading{addr: listener.Addr().String(), real: wire.Addr}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go l.serve(conn)
		}
	}()
	return l
}

// done ends the loading.
func (l *loading) done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for _, conn := range l.near {
		_ = conn.Close()
	}
}

func (l *loading) serve(conn net.Conn) {
	defer conn.Close()
	l.mu.Lock()
	over := l.over
	l.near = append(l.near, conn)
	l.mu.Unlock()
	if over {
		far, err := net.Dial("tcp", l.real)
		if err != nil {
			return
		}
		defer far.Close()
		go func() { _, _ = io.Copy(far, conn); _ = far.Close() }()
		_, _ = io.Copy(conn, far)
		return
	}
	for in := bufio.NewReader(conn); ; {
		verb, err := command(in)
		if err != nil {
			return
		}
		reply := "-LOADING Redis is loading the dataset in memory\r\n"
		switch strings.ToUpper(verb) {
		case "HELLO": // that of a Redis before 6
			reply = "-ERR unknown command 'HELLO'\r\n"
		case "CLIENT":
			reply = "+OK\r\n"
		}
		if _, err := io.WriteString(conn, reply); err != nil {
			return
		}
	}
}

// command reads one: the number of its words, and each with its length.
func command(in *bufio.Reader) (verb string, err error) {
	var words, length int
	if _, err := fmt.Fscanf(in, "*%d\r\n", &words); err != nil {
		return "", err
	}
	for i := range words {
		if _, err := fmt.Fscanf(in, "$%d\r\n", &length); err != nil {
			return "", err
		}
		word := make([]byte, length+2)
		if _, err := io.ReadFull(in, word); err != nil {
			return "", err
		}
		if i == 0 {
			verb = string(word[:length])
		}
	}
	return verb, nil
}
