package reliable

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
)

// wirePage gives the code blocks of a language from the page for clients in other
// languages: what the page says is what is tested.
func wirePage(t *testing.T, language string) (blocks []string) {
	t.Helper()
	page, err := os.ReadFile("../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if m[1] == language {
			blocks = append(blocks, m[2])
		}
	}
	if len(blocks) == 0 {
		t.Fatalf("the page has no code in %q", language)
	}
	return blocks
}

// plainRedis is what the page's client needs and this test has: the wire protocol
// of Redis by Python's standard library, and a verb for each part of the test.
const plainRedis = `
import sys

class Redis:
    def __init__(self):
        self.file = socket.create_connection((sys.argv[1], int(sys.argv[2]))).makefile("rwb")

    def execute_command(self, *args):
        args = [a if isinstance(a, bytes) else str(a).encode() for a in args]
        self.file.write(b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in args))
        self.file.flush()
        return self.reply()

    def reply(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind in (b"*", b"$") and rest == b"-1":
            return None
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        return int(rest) if kind == b":" else rest

def until_parent_ends():
    sys.stdin.read()
    os._exit(0)

def handle(text, envelope, attempt):
    print(text, attempt, flush=True)
    if text == "hang":
        time.sleep(1000)
    if text == "fail" and attempt == 1:
        raise ValueError("not at the first attempt")

verb, name = sys.argv[3:5]
threading.Thread(target=until_parent_ends, daemon=True).start()
if verb == "send":
    for n in range(20):
        for _ in range(2):
            print(send(Redis(), name, "Grüße %d" % n, "py-1", id="py %d" % n), flush=True)
else:
    consume(Redis, name, handle)
`

// snake is a client in Python.
type snake struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func (b *bench) snake(server *redistest.Instance, verb, name string) *snake {
	b.Helper()
	redistest.Command(b.T, "python", "python3")
	file := filepath.Join(b.TempDir(), "client.py")
	b.must(os.WriteFile(file, []byte(strings.Join(wirePage(b.T, "python"), "\n")+plainRedis), 0o600))
	host, port, _ := strings.Cut(server.Addr, ":")
	s := &snake{cmd: exec.Command("python3", file, host, port, verb, name)}
	s.cmd.Env, s.cmd.Stderr = append(os.Environ(), "PYTHONIOENCODING=utf-8"), os.Stderr
	_, err := s.cmd.StdinPipe() // it ends with this process
	b.must(err)
	out, err := s.cmd.StdoutPipe()
	b.must(err)
	s.lines = bufio.NewScanner(out)
	b.must(mortal.Start(s.cmd))
	b.Cleanup(s.kill)
	return s
}

// says reads so many lines; less where the client has ended, or says nothing.
func (s *snake) says(n int) (lines []string) {
	defer time.AfterFunc(2*patience, func() { _ = s.cmd.Process.Kill() }).Stop()
	for len(lines) < n && s.lines.Scan() {
		lines = append(lines, s.lines.Text())
	}
	return lines
}

func (s *snake) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// opened has a queue keep books from now on: where nobody of ours ever pushed, they
// begin with what is there when somebody reads them.
func (b *bench) opened(q *Queue) {
	b.Helper()
	b.push(q, "first")
	b.take(q, 1)
	b.must(q.Ack(b.Context(), "first"))
}

// The client of the page is run as it stands there.
func TestAnotherLanguageSpeaksTheWire(t *testing.T) {
	t.Parallel()
	server, name := redistest.Server(t), "dev-1"
	b := &bench{T: t, rdb: server.Client(), name: "inbox:" + name}
	q := b.open(b.rdb, Config{Name: b.name, Waits: true})
	b.opened(q)
	text := func(s string) []byte { return fmt.Appendf(nil, `{"message":%q}`, s) }

	// It sends each message twice; we receive it once, in order.
	said := b.snake(server, "send", name).says(40)
	var got []string
	b.must(q.Consume(t.Context(), func(_ context.Context, m Message) error {
		var body struct{ From, To, Message string }
		if err := json.Unmarshal(m.Body, &body); err != nil || body.From != "py-1" || body.To != name || time.Since(m.At).Abs() > time.Minute {
			t.Errorf("received %s of %s, %v", m.Body, m.At, err)
		}
		got = append(got, m.ID+": "+body.Message)
		return nil
	}, ConsumeConfig{Limit: 20, Idle: patience}))
	for n := range 20 {
		if said[2*n] != "True" || said[2*n+1] != "False" || got[n] != fmt.Sprintf("py %d: Grüße %d", n, n) {
			t.Errorf("message %d: new %s, then %s; received %q", n, said[2*n], said[2*n+1], got[n])
		}
	}
	if books, err := q.Books(t.Context()); err != nil || books.Waits.Count() != 21 || !b.rdb.SIsMember(t.Context(), "{inbox}:names", name).Val() {
		t.Errorf("%d waiting times were counted, %v; or the name is not noted", books.Waits.Count(), err)
	}

	// What we push it handles and acknowledges. One has expired, one fails at first.
	_, err := q.Push(t.Context(), Message{ID: "expired", Body: text("expired"), TTL: time.Millisecond}, Message{ID: "a", Body: text("漢字 🚀")},
		Message{ID: "f", Body: text("fail"), MaxAttempts: 2}, Message{ID: "z", Body: text("last")})
	b.must(err)
	time.Sleep(2 * time.Millisecond)
	consumer := b.snake(server, "consume", name)
	if lines := consumer.says(3); !slices.Equal(lines, []string{"漢字 🚀 1", "fail 1", "last 1"}) {
		t.Errorf("the consumer got %q", lines)
	}
	b.until("its failure is due", func() bool {
		b.must(q.Tend(t.Context()))
		d, err := q.Depth(t.Context())
		b.must(err)
		return d.Delayed == 0
	})
	if lines := consumer.says(1); !slices.Equal(lines, []string{"fail 2"}) {
		t.Errorf("the consumer got %q", lines)
	}
	b.until("all is acknowledged", func() bool {
		books, err := q.Books(t.Context())
		b.must(err)
		return books.Done == 24
	})
	if d := b.dead(q); len(d) != 1 || d[0].ID != "expired" || d[0].Reason != "it has expired before it was taken" {
		t.Errorf("dead letters %+v", d)
	}
	for id, want := range map[string]Place{"a": Done, "f": Done, "expired": Dead} {
		if place, err := q.Find(t.Context(), id); place != want || err != nil {
			t.Errorf("%s is %s, %v, want %s", id, place, err, want)
		}
	}

	// Killed with a message in hand, it loses it to us after its lease.
	_, err = q.Push(t.Context(), Message{ID: "h", Body: text("hang")})
	b.must(err)
	if lines := consumer.says(1); !slices.Equal(lines, []string{"hang 1"}) {
		t.Errorf("the consumer got %q", lines)
	}
	b.must(q.Tend(t.Context()))
	b.wantEmpty(q) // it has its lease
	consumer.kill()
	b.until("its message comes back", func() bool {
		b.must(q.Tend(t.Context()))
		m, err := q.Receive(t.Context(), 0)
		return err == nil && m.ID == "h" && m.Attempt == 1 && m.History[0].Reason == silent
	})
	b.must(q.Ack(t.Context(), "h"))
	_, err = q.Drop(t.Context(), "expired")
	b.must(err)
	b.wantBooks(q, Books{Pushed: 26, Done: 25, Dropped: 1})
	b.wantNothingKept(q)
}

// A person follows the page at redis-cli.
func TestCommandsOfTheWirePageSpeakTheWire(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	b := &bench{T: t, rdb: server.Client(), name: "inbox:dev-1"}
	q := b.worker("w")
	b.opened(q)
	raw := []byte(strings.TrimSpace(wirePage(t, "json")[0]))
	m, err := Decode(raw)
	b.must(err)
	if again, err := Encode(m); string(again) != string(raw) || err != nil {
		t.Errorf("the page's envelope is %s, ours %s, %v", raw, again, err)
	}
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	conn := client.Conn()
	defer conn.Close()
	blocks := wirePage(t, "")
	if len(blocks) != 2 {
		t.Fatalf("the page has %d blocks of commands, want a push and an acknowledgement", len(blocks))
	}
	for i, want := range []Books{{Pushed: 2, Done: 1, Waiting: 1}, {Pushed: 2, Done: 2}} {
		for line := range strings.Lines(blocks[i]) {
			command, _, _ := strings.Cut(strings.TrimRight(line, "\n"), "  ") // a remark follows
			var args []any
			for _, arg := range regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`).FindAllString(command, -1) {
				arg = regexp.MustCompile(`^P:`).ReplaceAllString(strings.Trim(arg, `'"`), "{q:inbox:dev-1}:")
				args = append(args, regexp.MustCompile(`\bW$`).ReplaceAllString(arg, "shell"))
			}
			if len(args) == 0 {
				continue
			}
			if err := conn.Do(t.Context(), args...).Err(); err != nil && (!errors.Is(err, redis.Nil) || args[0] == "EXEC") {
				t.Errorf("%s: %v", command, err)
			}
		}
		b.wantBooks(q, want)
	}
	b.wantNothingKept(q)
}

// What is due, expired or lapsed is decided by Redis' clock: no script is given the
// time, so that of a consumer may be wrong.
func TestConsumersClockDoesNotMatter(t *testing.T) {
	t.Parallel()
	rdb := redistest.Redis(t)
	heard := &listening{}
	rdb.AddHook(heard)
	b := &bench{T: t, rdb: rdb, name: redistest.Name("clock")}
	q := b.open(rdb, Config{Name: b.name, Worker: "w", Waits: true, Receipts: 10, Limit: 100, Backoff: time.Millisecond})
	ctx := t.Context()
	_, err := q.Push(ctx, Message{ID: "later", Delay: time.Minute}, Message{ID: "short", TTL: time.Minute, Window: time.Hour}, Message{ID: "dead", Dead: "bad"},
		Message{ID: "own", MaxAttempts: 2, Backoff: time.Minute})
	b.must(err)
	b.push(q, "1", "2", "3", "4", "5")
	got := b.take(q, 5) // short, own, 1, 2, 3
	b.must(q.Extend(ctx))
	b.must(q.Tend(ctx))
	b.must(q.Nack(ctx, errBad, got[0]))
	b.must(q.NackAfter(ctx, time.Minute, errBad, got[1]))
	b.must(q.Release(ctx, got[2]))
	b.must(q.Bury(ctx, got[3], errBad))
	b.must(q.Ack(ctx, got[4].ID))
	b.push(q, "6")
	_, err = q.ReceiveMany(ctx, 3, 0)
	b.must(err)
	b.must(q.Ack(ctx, "4"))
	b.must(q.Replace(ctx, "5", Message{ID: "7"}))
	_, err = q.Replay(ctx, "dead")
	b.must(err)
	_, err = q.Drop(ctx)
	b.must(err)
	_, err = q.Reap(ctx, "w")
	b.must(err)
	_, err = q.Books(ctx)
	b.must(err)
	b.must(q.Close(ctx))

	if len(heard.given) < 200 {
		t.Fatalf("only %d arguments were heard", len(heard.given))
	}
	now := float64(time.Now().Unix())
	for _, arg := range heard.given {
		for _, text := range regexp.MustCompile(`\d+(\.\d+)?`).FindAllString(arg, -1) {
			n, err := strconv.ParseFloat(text, 64)
			b.must(err)
			for _, unit := range []float64{1, 1e3, 1e6, 1e9} { // s, ms, µs, ns
				if days := (n/unit - now) / (24 * 3600); -2 < days && days < 2 {
					t.Errorf("a script is given the time: %s in %q", text, arg)
				}
			}
		}
	}
}

// listening hears what scripts are given, keys and arguments.
type listening struct{ given []string }

func (l *listening) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *listening) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		l.hear(cmd)
		return next(ctx, cmd)
	}
}

func (l *listening) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			l.hear(cmd)
		}
		return next(ctx, cmds)
	}
}

func (l *listening) hear(cmd redis.Cmder) {
	if !strings.HasPrefix(cmd.Name(), "eval") {
		return
	}
	for _, arg := range cmd.Args()[2:] { // after the script
		if raw, ok := arg.([]byte); ok {
			arg = string(raw)
		}
		l.given = append(l.given, fmt.Sprint(arg))
	}
}
