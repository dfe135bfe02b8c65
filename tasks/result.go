package tasks

import (
	"encoding/json"
	"fmt"
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
}

// Usage is what a run cost.
type Usage struct {
	CostUSD      float64 `json:"cost_usd"`
	InputTokens  int64   `json:"input_tokens"`
	OutputTokens int64   `json:"output_tokens"`
}

// Add sums two usages.
func (u Usage) Add(v Usage) Usage {
	return Usage{u.CostUSD + v.CostUSD, u.InputTokens + v.InputTokens, u.OutputTokens + v.OutputTokens}
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
			return fmt.Errorf("duration %q: want a number and a unit, such as 30s", v)
		}
		*d = Duration(parsed)
	case float64:
		*d = Duration(v * float64(time.Second))
	case nil:
	default:
		return fmt.Errorf("duration %s: want text such as \"30s\"", b)
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
		return r, fmt.Errorf("result is not the JSON that is asked for: %w", err)
	}
	return r, r.Validate()
}

// Validate checks a result against the rules of the result file.
func (r Result) Validate() error {
	switch r.Outcome {
	case Done, Rejected, Question, Retry, Limited, Failed:
	default:
		return fmt.Errorf("result has the unknown outcome %q: use done, rejected, question, retry, limited or failed", r.Outcome)
	}
	if r.Outcome == Question && r.Question == "" {
		return fmt.Errorf("result has the outcome question and no question")
	}
	if r.RetryAfter < 0 {
		return fmt.Errorf("result has a negative retry_after")
	}
	if e, err := json.Marshal(r.Evidence); err != nil {
		return fmt.Errorf("result has evidence that is no JSON: %w", err)
	} else if len(e) > MaxEvidence {
		return fmt.Errorf("result has %d bytes of evidence, at most %d are allowed", len(e), MaxEvidence)
	}
	return nil
}
