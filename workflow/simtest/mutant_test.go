package simtest

import (
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
)

// mutant is one change of the real code that the simulation is to find.
type mutant struct {
	name     string
	file     string // below the folder workflow
	old, new string // old stands there once
	claim    string // what is no longer true
	survives string // why it is not found, "" where it is to be
}

// The table is held to the sources: a text that is no longer there once is an
// error here, so that no mutant is silently the original.
func TestMutantsFitTheSources(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, m := range mutants {
		text, err := os.ReadFile(filepath.Join("..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.old); n != 1 || m.old == m.new || names[m.name] {
			t.Errorf("%s: %q is in %s %d times", m.name, m.old, m.file, n)
		}
		names[m.name] = true
	}
}

// PRPFLOW_SIM_MUTANTS=all builds the simulation once for each mutant of the
// engine and expects it to find what is wrong; =sample takes six that change
// from day to day, =NAME,NAME those named. PRPFLOW_SIM_SCHEDULES is how many
// seeds each is given, 100,000 if not said.
func TestMutantsAreFound(t *testing.T) {
	chosen := chooseMutants(os.Getenv("PRPFLOW_SIM_MUTANTS"), time.Now())
	if len(chosen) == 0 {
		t.Skip("PRPFLOW_SIM_MUTANTS=all|sample|NAME,… changes the engine and expects the simulation to find it")
	}
	schedules := os.Getenv("PRPFLOW_SIM_SCHEDULES")
	if schedules == "" {
		schedules = "100000"
	}
	found := 0
	for _, m := range chosen {
		began := time.Now()
		seed, says := m.hunt(t, schedules)
		switch took := time.Since(began).Round(time.Second); {
		case seed > 0 && Run(Options{Seed: seed}) != nil:
			t.Errorf("%s: the original fails with seed %d as well", m.name, seed)
		case seed > 0:
			found++
			fmt.Printf("found     %-24s after %6d  (%s) %.150s\n", m.name, seed, took, says)
		case m.survives != "":
			fmt.Printf("survives  %-24s (%s) as known: %s\n", m.name, took, m.survives)
		default:
			fmt.Printf("SURVIVES  %-24s (%s) %s\n", m.name, took, m.claim)
			t.Errorf("%s schedules have not found %s: %s", schedules, m.name, m.claim)
		}
	}
	fmt.Printf("%d of %d mutants found\n", found, len(chosen))
}

func chooseMutants(which string, day time.Time) (chosen []mutant) {
	switch which {
	case "":
		return nil
	case "all":
		return mutants
	case "sample":
		for i := range 6 {
			chosen = append(chosen, mutants[(day.YearDay()*6+i)%len(mutants)])
		}
		return chosen
	}
	names := strings.Split(which, ",")
	for _, m := range mutants {
		if slices.Contains(names, m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

var (
	failingSeed = regexp.MustCompile(`seed (\d+): ([^\n]*)`)
	hanging     = regexp.MustCompile(`test timed out|stack overflow|panic: `)
)

// hunt builds the simulation with the mutant in place of the original, which is
// not touched, and runs it.
func (m mutant) hunt(t *testing.T, schedules string) (seed uint64, says string) {
	dir := t.TempDir()
	original, err := filepath.Abs(filepath.Join("..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	changed, overlay, program := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sim.test")
	write := func(file string, data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(changed, []byte(strings.Replace(string(text), m.old, m.new, 1)))
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	write(overlay, replace)
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%s does not build: %v\n%s", m.name, err, out)
		return 1, "nothing: it does not build"
	}
	run := exec.CommandContext(t.Context(), program, "-test.run", "NoInterleaving", "-test.timeout", "5m")
	run.Env = append(os.Environ(), "PRPFLOW_SIM_SCHEDULES="+schedules, "PRPFLOW_SIM_TRANSCRIPTS="+dir)
	out, err := run.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, ""
	case !errors.As(err, &exit):
		t.Fatalf("%s does not run: %v", m.name, err)
	}
	if hit := failingSeed.FindStringSubmatch(string(out)); hit != nil {
		seed, _ = strconv.ParseUint(hit[1], 10, 64)
		return seed, hit[2]
	}
	if hit := hanging.FindString(string(out)); hit != "" {
		return 1, hit
	}
	t.Fatalf("%s: %s", m.name, out)
	return 0, ""
}
