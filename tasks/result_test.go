package tasks_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/prpflow/prpflow/tasks"
)

func TestResultFileIsReadWhole(t *testing.T) {
	t.Parallel()
	got, err := tasks.ParseResult([]byte(`{
		"outcome": "rejected", "evidence": {"coverage_pct": 70}, "reasons": ["no tests"], "notes": "n",
		"retry_after": "1m30s", "artifacts": ["a.txt"], "usage": {"cost_usd": 0.5, "input_tokens": 10, "output_tokens": 2},
		"made_up_by_the_agent": true}`))
	if err != nil {
		t.Fatal(err)
	}
	want := tasks.Result{
		Outcome: tasks.Rejected, Evidence: map[string]any{"coverage_pct": 70.0}, Reasons: []string{"no tests"}, Notes: "n",
		RetryAfter: tasks.Duration(90 * time.Second), Artifacts: []string{"a.txt"},
		Usage: tasks.Usage{CostUSD: 0.5, InputTokens: 10, OutputTokens: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBadResultIsRefusedInOneSentence(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("7", tasks.MaxEvidence)
	for says, file := range map[string]string{
		"not the JSON":              `done`,
		"unknown outcome \"\"":      `{}`,
		"unknown outcome \"great\"": `{"outcome":"great"}`,
		"unknown outcome \"77":      `{"outcome":"` + big + `"}`,
		"duration \"77":             `{"outcome":"retry","retry_after":"` + big + `"}`,
		"duration [7":               `{"outcome":"retry","retry_after":[` + big[:300] + `]}`,
		"no question":               `{"outcome":"question"}`,
		"negative retry_after":      `{"outcome":"retry","retry_after":"-1s"}`,
		"want a number and a unit":  `{"outcome":"retry","retry_after":"soon"}`,
		"want text such as":         `{"outcome":"retry","retry_after":{}}`,
		"bytes of evidence":         `{"outcome":"done","evidence":{"log":"` + big + `"}}`,
		"result has 1048577 bytes":  strings.Repeat(" ", tasks.MaxResult+1),
		"at most 744h0m0s":          `{"outcome":"limited","retry_after":"2000000h"}`,
		"longer than can be":        `{"outcome":"limited","retry_after":1e300}`,
		"of 101 levels":             `{"outcome":"done","evidence":{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`,
		"of 9998 levels":            `{"outcome":"done","evidence":{"a":` + strings.Repeat("[", 9997) + strings.Repeat("]", 9997) + `}}`,
		"exceeded max depth":        `{"outcome":"done","evidence":{"a":` + strings.Repeat("[", 20000) + `}}`,
		"cannot unmarshal number":   `{"outcome":"done","usage":{"input_tokens":` + big + big + `}}`,
	} {
		_, err := tasks.ParseResult([]byte(file))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q, error is %v", says, err)
		} else if strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
			t.Errorf("%.400q is not one sentence", err)
		}
	}
}

func TestEveryOutcomeIsAccepted(t *testing.T) {
	t.Parallel()
	for _, o := range []tasks.Outcome{tasks.Done, tasks.Rejected, tasks.Question, tasks.Retry, tasks.Limited, tasks.Failed} {
		if err := (tasks.Result{Outcome: o, Question: "which?"}).Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestDurationIsTextOrSeconds(t *testing.T) {
	t.Parallel()
	for wire, want := range map[string]time.Duration{`"30s"`: 30 * time.Second, `1.5`: 1500 * time.Millisecond, `null`: 0} {
		var d tasks.Duration
		if err := json.Unmarshal([]byte(wire), &d); err != nil || time.Duration(d) != want {
			t.Errorf("%s is %s, %v", wire, time.Duration(d), err)
		}
	}
	if b, err := json.Marshal(tasks.Duration(90 * time.Second)); err != nil || string(b) != `"1m30s"` {
		t.Errorf("written as %s, %v", b, err)
	}
}

func TestUsageAddsUp(t *testing.T) {
	t.Parallel()
	got := tasks.Usage{CostUSD: 1, InputTokens: 2, OutputTokens: 3}.Add(tasks.Usage{CostUSD: 10, InputTokens: 20, OutputTokens: 30})
	if want := (tasks.Usage{CostUSD: 11, InputTokens: 22, OutputTokens: 33}); got != want {
		t.Errorf("sum is %+v", got)
	}
}

func TestUsageOfALyingAgentSpoilsNoSum(t *testing.T) {
	t.Parallel()
	sum := tasks.Usage{CostUSD: 1, InputTokens: 2, OutputTokens: 3}
	for _, lie := range []tasks.Usage{
		{CostUSD: -1, InputTokens: -2, OutputTokens: -3}, {CostUSD: math.NaN()}, {},
	} {
		if got := sum.Add(lie); got != sum {
			t.Errorf("with %+v the sum is %+v", lie, got)
		}
	}
	huge := tasks.Usage{CostUSD: math.MaxFloat64, InputTokens: math.MaxInt64, OutputTokens: math.MaxInt64}
	got := huge.Add(huge)
	if got != huge {
		t.Errorf("the sum is %+v", got)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Errorf("the sum cannot be stored: %v", err)
	}
}

func TestBracketsInTextAreNoNesting(t *testing.T) {
	t.Parallel()
	r := tasks.Result{Outcome: tasks.Done, Evidence: map[string]any{"log": `\"` + strings.Repeat(`[{"`, 500), "n": []any{[]any{1}}}}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
}
