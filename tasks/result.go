package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Outcome says how a run ended.
type Outcome string

// The outcomes that an agent can report.
const (
	Done     Outcome = "done"     // the work is finished, Evidence says how we know
	Rejected Outcome = "rejected" // the work under review is not good enough, Reasons say why
	Question Outcome = "question" // the agent cannot go on without an answer
	Retry    Outcome = "retry"    // not now; run again after RetryAfter, no retry is spent
	Limited  Outcome = "limited"  // the provider refuses until RetryAfter has passed, nothing is spent
	Failed   Outcome = "failed"   // the run failed, a retry is spent
)

// Limits of a result, in bytes.
const (
	MaxResult   = 1 << 20
	MaxEvidence = 64 << 10
)

// MaxRetryAfter is the longest wait that a result may ask for: no provider's
// limit is longer than a month.
const MaxRetryAfter = 31 * 24 * time.Hour

// maxNesting bounds how deep lists and maps of evidence lie in each other. It
// becomes part of larger JSON, and readers of JSON stop at some depth.
const maxNesting = 100

// Result is what a run hands in. Its JSON form is the result file.
type Result struct {
	Outcome    Outcome        `json:"outcome"`
	Evidence   map[string]any `json:"evidence,omitempty"`
	Reasons    []string       `json:"reasons,omitempty"`
	Question   string         `json:"question,omitempty"`
	Notes      string         `json:"notes,omitempty"`
	RetryAfter Duration       `json:"retry_after,omitempty"`
	Artifacts  []string       `json:"artifacts,omitempty"`
	Usage      Usage          `json:"usage,omitzero"`

	// What only a runtime can say, never a result file. Unwell is why the run could
	// not be started: it counts as none, and the agent gets no work until a probe
	// succeeds. Silent is a run that ended well without a word of result.
	Unwell string `json:"-"`
	Silent bool   `json:"-"`
}

// Usage is what a run cost.
type Usage struct {
	CostUSD      float64 `json:"cost_usd"`
	InputTokens  int64   `json:"input_tokens"`
	OutputTokens int64   `json:"output_tokens"`
}

// Add sums two usages. Agents report them: what is below nothing counts as
// nothing, and a sum stays at the largest number there is instead of becoming
// one that cannot be stored.
func (u Usage) Add(v Usage) Usage {
	return Usage{
		CostUSD:      min(cost(u.CostUSD)+cost(v.CostUSD), math.MaxFloat64),
		InputTokens:  addTokens(u.InputTokens, v.InputTokens),
		OutputTokens: addTokens(u.OutputTokens, v.OutputTokens),
	}
}

// cost is 0 for what is no amount.
func cost(usd float64) float64 {
	if usd > 0 {
		return usd
	}
	return 0 // also for NaN
}

func addTokens(a, b int64) int64 {
	a, b = max(a, 0), max(b, 0)
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Duration is a time.Duration that reads and writes JSON as "30s".
type Duration time.Duration

// MarshalJSON writes the duration as Go does, "1m30s".
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads "30s", or a number of seconds.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		parsed, err := time.ParseDuration(v)
		if err != nil {
			return fmt.Errorf("duration %.40q: want a number and a unit, such as 30s", v)
		}
		*d = Duration(parsed)
	case float64:
		if math.Abs(v) > math.MaxInt64/float64(time.Second)-1 {
			return fmt.Errorf("duration of %g seconds: that is longer than can be counted", v)
		}
		*d = Duration(v * float64(time.Second))
	case nil:
	default:
		return fmt.Errorf("duration %.40s: want text such as \"30s\"", b)
	}
	return nil
}

// ParseResult reads and checks a result file. Every error is one sentence.
func ParseResult(b []byte) (Result, error) {
	var r Result
	if len(b) > MaxResult {
		return r, fmt.Errorf("result has %d bytes, at most %d are allowed", len(b), MaxResult)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		var typed *json.UnmarshalTypeError
		if errors.As(err, &typed) { // it quotes a number of any length
			typed.Value, _, _ = strings.Cut(typed.Value, " ")
		}
		return r, fmt.Errorf("result is not the JSON that is asked for: %w", err)
	}
	return r, r.Validate()
}

// Validate checks a result against the rules of the result file.
func (r Result) Validate() error {
	switch r.Outcome {
	case Done, Rejected, Question, Retry, Limited, Failed:
	default:
		return fmt.Errorf("result has the unknown outcome %.40q: use done, rejected, question, retry, limited or failed", r.Outcome)
	}
	if r.Outcome == Question && r.Question == "" {
		return fmt.Errorf("result has the outcome question and no question")
	}
	if r.RetryAfter < 0 {
		return fmt.Errorf("result has a negative retry_after")
	}
	if d := time.Duration(r.RetryAfter); d > MaxRetryAfter {
		return fmt.Errorf("result has a retry_after of %s, at most %s is allowed", d, MaxRetryAfter)
	}
	if e, err := json.Marshal(r.Evidence); err != nil {
		return fmt.Errorf("result has evidence that is no JSON: %w", err)
	} else if len(e) > MaxEvidence {
		return fmt.Errorf("result has %d bytes of evidence, at most %d are allowed", len(e), MaxEvidence)
	} else if n := nesting(e); n > maxNesting {
		return fmt.Errorf("result has evidence of %d levels, at most %d are allowed", n, maxNesting)
	}
	return nil
}

// nesting tells how deep the lists and maps of a JSON text lie in each other.
func nesting(text []byte) (deepest int) {
	depth, quoted, escaped := 0, false, false
	for _, c := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}
