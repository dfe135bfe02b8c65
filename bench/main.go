package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// config is what the flags say.
type config struct {
	messages int
	size     int
	rounds   int
	seconds  int
	only     string
	aof      string
}

func main() {
	var c config
	flag.IntVar(&c.messages, "messages", 50_000, "messages of a throughput round")
	flag.IntVar(&c.size, "size", 200, "bytes of a message")
	flag.IntVar(&c.rounds, "rounds", 5, "rounds, in turn over the contenders; the median counts")
	flag.IntVar(&c.seconds, "seconds", 60, "how long the five agents talk")
	flag.StringVar(&c.only, "only", "", "parts, separated by commas: throughput, latency, flat, memory, agents")
	flag.StringVar(&c.aof, "appendfsync", "everysec", "no, everysec, always, or off for no append-only file")
	profile := flag.String("cpuprofile", "", "write a profile of this process")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, c, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// part is one question.
type part struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

func run(ctx context.Context, c config, out io.Writer) error {
	server, err := start(ctx, c.aof)
	if err != nil {
		return err
	}
	defer server.stop()
	b := &bench{config: c, server: server, out: out}
	b.rdb = b.client()
	defer b.rdb.Close()
	fmt.Fprintf(out, "Redis %s, append-only %s; %d processors of this machine are shared by server and clients.\n", server.version, c.aof, processors())
	for _, p := range []part{{"throughput", throughput}, {"latency", latency}, {"flat", flat}, {"memory", memory}, {"agents", agents}} {
		if c.only != "" && !slices.Contains(strings.Split(c.only, ","), p.name) {
			continue
		}
		fmt.Fprintf(out, "\n## %s\n", p.name)
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// bench is a run.
type bench struct {
	config
	server *server
	rdb    *redis.Client
	out    io.Writer
	names  int
}

// client is one of its own.
func (b *bench) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: b.server.addr, PoolSize: 64, ReadTimeout: 30 * time.Second})
}

// name is one that nothing else has.
func (b *bench) name() string { b.names++; return fmt.Sprint("bench", b.names) }

func (b *bench) body() []byte { return []byte(strings.Repeat("x", b.size)) }

func (b *bench) printf(format string, args ...any) { fmt.Fprintf(b.out, format, args...) }

// server is a redis-server of this run.
type server struct {
	addr, version, dir string
	cmd                *exec.Cmd
}

func start(ctx context.Context, aof string) (*server, error) {
	dir, err := os.MkdirTemp("", "bench-redis-")
	if err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", ""}
	if aof != "off" {
		args = append(args, "--appendonly", "yes", "--appendfsync", aof)
	}
	s := &server{addr: "127.0.0.1:" + port, dir: dir, cmd: exec.Command("redis-server", args...)}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	rdb := redis.NewClient(&redis.Options{Addr: s.addr})
	defer rdb.Close()
	for range 100 {
		if info, err := rdb.Info(ctx, "server").Result(); err == nil {
			_, rest, _ := strings.Cut(info, "redis_version:")
			s.version, _, _ = strings.Cut(rest, "\r")
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.stop()
	return nil, errors.New("redis-server does not answer")
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.dir)
}
