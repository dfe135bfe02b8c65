//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// messy are agents that leave something behind, in turn.
var messy = []string{
	`(setsid sh -c 'trap "" TERM HUP; exec sleep 300' >/dev/null 2>&1 &)`,
	`(env -i setsid /bin/sh -c 'trap "" TERM HUP; exec /bin/sleep 300' >/dev/null 2>&1 &); sleep 0.1`,
	`for i in 1 2 3 4 5; do (setsid sh -c "(sleep 0.2 &); exit" &); sleep 300 & done`,
	`head -c 3000000 /dev/zero | tr '\0' x; sleep 300 &`,
	`sleep 300 & exit 3`,
	`kill -9 $$`,
	`finish; trap '' TERM; while :; do sleep 1; done`, // its grace ends it
	`mkdir -p deep/er && chmod 500 deep; sleep 0.05`,
}

func TestRunsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	leaveNothing(t, false)
}

func TestRunsLeaveNothingBehindWhereServeIsProcessOne(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root may make a namespace of processes")
	}
	leaveNothing(t, true)
}

func leaveNothing(t *testing.T, first bool) {
	n := 24
	if os.Getenv("PRPFLOW_TORTURE") != "" {
		n = 200
	}
	w := newWorld(t)
	for i := range n {
		id := fmt.Sprintf("PRP-%d", i+1)
		w.write("do-developer-"+id, messy[i%len(messy)])
		w.doc("batch", id)
	}
	file := w.agentsFile("team", 4, "dev-1:developer", "dev-2:developer", "validator:validator", "integrator:integrator")
	w.write("team.yaml", strings.ReplaceAll(w.read(filepath.Base(file)), "retries: 2", "retries: 0\n      grace: 300ms"))
	p, url, pid := w.serveAs(first, "--agents", file)
	w.submit("PRP-1000") // whatever is opened once is open
	w.reaches("PRP-1000", "complete")
	before := w.held(pid, url)
	w.want(0, "submit", w.path("batch"))
	w.eventually(3*soon, "all have come to an end", w.ended)
	var after held
	if !w.within(15*time.Second, func() bool { after = w.held(pid, url); return after.within(before) }) {
		t.Errorf("before %d runs %+v, after them %+v", n, before, after)
	}
	p.signal(term)
	if first {
		_ = signalTo(pid, term)
	}
	p.ends(soon)
	if left := w.strays(); len(left) > 0 {
		t.Errorf("serve has ended, and there are still %q", left)
	}
}

// ended says whether every PRP is complete or has failed.
func (w *world) ended() bool {
	w.t.Helper()
	var all []shown
	w.decode(w.want(0, "list", "--json").out, &all)
	for _, s := range all {
		if s.State != "complete" && s.State != "failed" {
			return false
		}
	}
	return true
}

// serveAs starts serve, where first is true as process 1 of a namespace; pid is its
// number outside.
func (w *world) serveAs(first bool, args ...string) (p *process, url string, pid int) {
	w.t.Helper()
	if !first {
		p, url = w.serve("serve", args...)
		return p, url, p.cmd.Process.Pid
	}
	addr := w.freeAddr()
	url = "http://" + addr
	p = w.startProgram("unshare", nil, "serve", append([]string{"--pid", "--fork", "--mount-proc", "--kill-child", built.path, "serve", "--listen", addr}, args...)...)
	w.ready(p, url)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.cmd.Process.Pid, p.cmd.Process.Pid))
	if err != nil {
		w.t.Fatal(err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(string(children))); err != nil {
		w.t.Fatal(err)
	}
	return p, url, pid
}

// held is what a process has in hand.
type held struct{ processes, files, sockets, goroutines, folders int }

// within allows a few more that come and go, and connections to Redis, which are kept.
func (h held) within(before held) bool {
	return h.processes <= before.processes && h.files <= before.files+4 && h.sockets <= before.sockets+40 && h.goroutines <= before.goroutines+12 && h.folders <= before.folders
}

var goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

func (w *world) held(pid int, url string) (h held) {
	w.t.Helper()
	h.processes = len(w.strays())
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "socket:") {
			h.sockets++
		} else {
			h.files++
		}
	}
	if _, page := w.get(url + "/metrics"); goroutines.MatchString(page) {
		h.goroutines, _ = strconv.Atoi(goroutines.FindStringSubmatch(page)[1])
	}
	folders, err := filepath.Glob(w.path("on-disk/*/*/*"))
	if err != nil {
		w.t.Fatal(err)
	}
	h.folders = len(folders)
	return h
}

// strays are the processes, dead ones too, that this world has started: they work in a
// folder of its, or have it in their environment. A zombie has neither, and is known by
// its parent.
func (w *world) strays() (found []string) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		w.t.Fatal(err)
	}
	ours := map[string]bool{}
	stat := map[string][]string{}
	for _, e := range entries {
		b, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		stat[e.Name()] = strings.Fields(rest)
		cwd, _ := os.Readlink("/proc/" + e.Name() + "/cwd")
		env, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		ours[e.Name()] = strings.HasPrefix(cwd, w.dir) || strings.Contains(string(env), w.dir)
	}
	for pid, f := range stat {
		if len(f) < 2 || !ours[pid] && !(f[0] == "Z" && ours[f[1]]) {
			continue
		}
		command, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		found = append(found, strings.ReplaceAll(string(command), "\x00", " ")+" ("+f[0]+")")
	}
	return found
}
