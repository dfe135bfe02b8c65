package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// bad is an input that a user can give by mistake. The zero value of each field is
// what most of them have.
type bad struct {
	what    string   // the mistake
	args    []string // {w} is the folder of the world, {redis} the host and port of its Redis
	code    int      // the exit code; 0: 2, usage or bad input
	says    string   // the sentence holds it
	never   string   // nothing that is printed holds it
	name    string   // a file in the row's own folder, which is the current one
	text    string   // what is in it
	env     []string // beside that of the world
	in      string   // file that is standard input
	out     string   // file that is standard output
	remarks bool     // findings or warnings come before the sentence
	sibling bool     // another row is refused by the same lines: left out where the race detector makes each dear
}

// What a refusal may take. The program of the race detector needs several times the memory.
const (
	refusalTime = 5 * time.Second
	refusalMiB  = 200
	racedMiB    = 1000
	atATime     = 4
	fewest      = 300
)

// Bad input is refused in one sentence with the right exit code, soon and without
// much memory, and changes nothing. Not parallel: it measures, and it keeps both
// processors busy for long enough to disturb who measures beside it.
func TestEachBadInputIsRefusedInOneSentence(t *testing.T) {
	w := newWorld(t)
	rows := slices.Concat(badVerbs(), badArguments(), badNames(), badValues(), badPaths(), badAgents(), badLifecycles(),
		badConfigs(), badAddresses(), badListens(), badDocuments(), badMoves(), badMessages(), badWorlds())
	if raced {
		rows = slices.DeleteFunc(rows, func(row bad) bool { return row.sibling })
	}
	// Those that wait for a Redis that is not there, beside those that keep a processor busy.
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	w.furnish()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	b := &bench{world: w, page: web.Listener.Addr().String(), rdb: w.redis.Client()}
	b.written, b.before = b.writes(t), b.keys(t)
	b.all(t, rows)
	b.unchanged(t)
	t.Logf("%d bad inputs, none took more than %d MiB or %s", len(rows), b.most, b.longest.Round(10*time.Millisecond))
	if len(rows) < fewest {
		t.Errorf("%d bad inputs, want %d or more", len(rows), fewest)
	}
}

// bench tries bad inputs on a store with some PRPs.
type bench struct {
	*world
	page string // host and port of an HTTP server
	rdb  redis.UniversalClient

	looking sync.Mutex
	most    int64 // MiB
	longest time.Duration
	written string                       // the count of writes when somebody looked last
	before  map[string][sha256.Size]byte // what was in the store then
}

// all tries the rows, some at a time.
func (b *bench) all(t *testing.T, rows []bad) {
	seen := map[string]bool{}
	work := make(chan int)
	var workers sync.WaitGroup
	for range atATime {
		workers.Go(func() {
			for i := range work {
				t.Run(rows[i].what, func(t *testing.T) { b.try(t, i, rows[i]) })
			}
		})
	}
	for i, row := range rows {
		if seen[row.what] {
			t.Errorf("two rows are called %q", row.what)
		}
		seen[row.what] = true
		work <- i
	}
	close(work)
	workers.Wait()
}

// try gives the program one bad input.
func (b *bench) try(t *testing.T, i int, row bad) {
	dir := b.path(fmt.Sprintf("rows/%d", i))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if row.name != "" {
		if err := os.WriteFile(filepath.Join(dir, row.name), []byte(row.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, built.path, b.fill(row.args)...)
	cmd.Dir, cmd.Env = dir, append(slices.Clone(b.env), b.fill(row.env)...)
	var out, errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errout
	if row.in != "" {
		f, err := os.Open(b.fill([]string{row.in})[0])
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd.Stdin = f
	}
	if row.out != "" {
		f, err := os.OpenFile(row.out, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd.Stdout = f
	}
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", row.args, err)
	}
	a := answer{cmd.ProcessState.ExitCode(), out.String(), errout.String()}
	row.says = b.fill([]string{row.says})[0]
	row.judge(t, a)
	used, most := peak(cmd.ProcessState), mostMiB()
	if took > refusalTime {
		t.Errorf("it takes %s", took)
	}
	if used > most {
		t.Errorf("it takes %d MiB of memory, at most %d are allowed", used, most)
	}
	b.looking.Lock()
	b.most, b.longest = max(b.most, used), max(b.longest, took)
	b.looking.Unlock()
	b.unchanged(t)
}

// fill puts in what a row cannot know.
func (b *bench) fill(texts []string) []string {
	filled := make([]string, len(texts))
	for i, text := range texts {
		filled[i] = strings.NewReplacer("{w}", b.dir, "{redis}", b.redis.Addr, "{page}", b.page).Replace(text)
	}
	return filled
}

// judge checks what a command that ended has said.
func (row bad) judge(t *testing.T, a answer) {
	want := row.code
	if want == 0 {
		want = 2
	}
	if a.code != want {
		t.Errorf("exit %d, want %d", a.code, want)
	}
	lines := strings.Split(strings.TrimRight(a.errout, "\n"), "\n")
	last := lines[len(lines)-1]
	switch {
	case !strings.HasPrefix(last, "prpflow: ") || len(strings.TrimSpace(last)) < len("prpflow: a b"):
		t.Error("there is no sentence that begins with prpflow:")
	case len(lines) > 1 && !row.remarks:
		t.Errorf("%d lines, want one sentence", len(lines))
	case row.says != "" && !strings.Contains(last, row.says):
		t.Errorf("the sentence does not hold %q", row.says)
	case strings.Contains(last, "; ;"), strings.Contains(last, "%!"), strings.Contains(last, "<nil>"), len(last) > 2000:
		t.Error("the sentence is none that a person would write")
	}
	for _, trace := range []string{"goroutine ", "panic:", "runtime error", ".go:", "level=", "time="} {
		if strings.Contains(a.errout, trace) {
			t.Errorf("%q is nothing for a user", trace)
		}
	}
	if row.never != "" && strings.Contains(a.out+a.errout, row.never) {
		t.Errorf("it shows %q", row.never)
	}
	if t.Failed() {
		t.Logf("prpflow %.300q\nexit %d\nstdout %.300q\nstderr %.2000q", row.args, a.code, a.out, a.errout)
	}
}

// peak is the most memory that a process had, in MiB.
func peak(ended *os.ProcessState) int64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok || runtime.GOOS != "linux" { // elsewhere the unit is another
		return 0
	}
	return usage.Maxrss >> 10
}

// mostMiB is what a refusal may take. Linux counts what the process was before exec,
// which is a copy of this one.
func mostMiB() int64 {
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	if raced {
		return max(racedMiB, own.Maxrss>>10)
	}
	return max(refusalMiB, own.Maxrss>>10)
}

// unchanged checks that nothing was written since somebody looked last.
func (b *bench) unchanged(t *testing.T) {
	t.Helper()
	b.looking.Lock()
	defer b.looking.Unlock()
	writes := b.writes(t)
	if writes == b.written {
		return
	}
	b.written = writes
	after := b.keys(t)
	for key, was := range b.before {
		if is, ok := after[key]; !ok || is != was {
			t.Errorf("this input, or one beside it, has changed %.100s", key)
		}
	}
	for key := range after {
		if _, ok := b.before[key]; !ok {
			t.Errorf("this input, or one beside it, has written %.100s", key)
		}
	}
	b.before = after
}

// writes counts the changes of all databases, by the server's own count.
func (b *bench) writes(t *testing.T) string {
	t.Helper()
	info, err := b.rdb.Info(t.Context(), "persistence").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, count, _ := strings.Cut(info, "rdb_changes_since_last_save:")
	count, _, _ = strings.Cut(count, "\r\n")
	return count
}

// keys is what is in the store, in both databases that the rows use. That somebody has
// asked for a message is noted there, and no change.
func (b *bench) keys(t *testing.T) map[string][sha256.Size]byte {
	t.Helper()
	all := map[string][sha256.Size]byte{}
	for db := range 2 {
		rdb := redis.NewClient(&redis.Options{Addr: b.redis.Addr, DB: db})
		for iter := rdb.Scan(t.Context(), 0, "*", 1000).Iterator(); iter.Next(t.Context()); {
			if strings.HasSuffix(iter.Val(), ":takers") {
				continue
			}
			all[fmt.Sprint(db, " ", iter.Val())] = sha256.Sum256([]byte(rdb.Dump(t.Context(), iter.Val()).Val()))
		}
		_ = rdb.Close()
	}
	return all
}

// on splits a command line at its spaces.
func on(line string) []string { return strings.Fields(line) }

// with is a command line and further arguments, which may have spaces.
func with(line string, more ...string) []string { return append(strings.Fields(line), more...) }
