package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// next builds the program as a later version of it would be: it writes records of
// a newer schema and orders of a newer version, and reads those of this one.
func next(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for file, change := range map[string][2]string{
		"../../workflow/record.go": {"const SchemaVersion = 2", "const SchemaVersion = 3"},
		"../../tasks/order.go":     {"const OrderVersion = 1", "const OrderVersion = 2"},
	} {
		source, err := os.ReadFile(file)
		ok(t, err)
		if strings.Count(string(source), change[0]) != 1 {
			t.Fatalf("%s has not %q once", file, change[0])
		}
		absolute, err := filepath.Abs(file)
		ok(t, err)
		replace[absolute] = filepath.Join(dir, filepath.Base(file))
		ok(t, os.WriteFile(replace[absolute], []byte(strings.Replace(string(source), change[0], change[1], 1)), 0o600))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	program := filepath.Join(dir, "prpflow-next")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, programSource).CombinedOutput()
	if err != nil {
		t.Fatalf("the next version does not build: %v\n%s", err, out)
	}
	return program
}

// A process of this version and one of the next work beside each other, and lose
// nothing.
func TestTwoVersionsWorkBesideEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	later := next(t)
	_, url := w.serve("serve", "--agents", w.agentsFile("team", 2, everybody...))
	var ids []string
	submit := func(program, id string) {
		t.Helper()
		cmd := exec.Command(program, "submit", w.doc("", id))
		cmd.Dir, cmd.Env = w.dir, w.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("submit %s: %v\n%s", id, err, out)
		}
		ids = append(ids, id)
	}
	for i := range 8 {
		submit(built.path, fmt.Sprintf("PRP-%d", 100+i))
	}
	members := []member{"dev-9:developer", "validator-9:validator", "integrator-9:integrator"}
	team := w.startProgram(later, w.env, "next", "serve", "--listen", w.freeAddr(), "--agents", w.agentsFile("next-team", 2, members...))
	for i := range 4 {
		submit(later, fmt.Sprintf("PRP-%d", 300+i))
	}
	done := func() bool {
		cmd := exec.Command(later, "list", "--json")
		cmd.Dir, cmd.Env = w.dir, w.env
		out, err := cmd.Output()
		if err != nil {
			return false
		}
		var all []shown
		w.decode(string(out), &all)
		for _, s := range all {
			if s.State != "complete" {
				return false
			}
		}
		return len(all) == len(ids)
	}
	w.eventually(soon, "all PRPs of both versions are complete", done)
	// What the next version has written, this one shows as such, and no error.
	const upgrade = "was written by a newer prpflow (schema 3, this one reads 2): upgrade this program"
	code, page := w.get(url + "/")
	if code != 200 {
		t.Errorf("the board answers %d", code)
	}
	w.has("the board", page, "PRP-300", "the record "+upgrade)
	// A process that starts is refused by the store as a whole.
	if a := w.run("list"); a.code != 1 || !strings.Contains(a.errout, "the store "+upgrade) {
		t.Errorf("list: exit %d\n%s%s", a.code, a.out, a.errout)
	}
	// The newer one leads. Without it, the older one goes on with what it can read.
	team.kill()
	for i := range 3 {
		cmd := exec.Command(later, "submit", w.doc("", fmt.Sprintf("PRP-%d", 400+i)))
		cmd.Dir, cmd.Env = w.dir, w.env
		out, err := cmd.CombinedOutput()
		ok(t, err)
		_ = out
		ids = append(ids, fmt.Sprintf("PRP-%d", 400+i))
	}
	w.startProgram(later, w.env, "next-again", "serve", "--listen", w.freeAddr(), "--agents", w.agentsFile("next-team", 2, members...))
	w.eventually(soon, "what waited for the next version is complete", done)
}
