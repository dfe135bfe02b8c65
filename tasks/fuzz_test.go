package tasks_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// What is taken off the wire can be put on it again, and means the same.
func FuzzDecodeOrder(f *testing.F) {
	for _, seed := range []string{
		`{"v":1,"job":"PRP-7:3:abc","prp":"PRP-7","fence":3,"type":"prp.develop"}`,
		`{"v":1,"job":"a:b:0:c","prp":"a:b","type":"x"}`, `{"v":2}`, `null`, `{"v":1,"job":"\u0000:1:x","prp":"\u0000","fence":1,"type":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		if len(wire) > 64<<10 { // longer ones are tested by name
			return
		}
		order, err := tasks.DecodeOrder(wire)
		if err != nil {
			return
		}
		again, err := order.Encode()
		if err != nil {
			if len(wire) > tasks.MaxOrder/6 { // JSON may write a character as six bytes
				return
			}
			t.Fatalf("%+v was taken and cannot be sent: %v", order, err)
		}
		if got, err := tasks.DecodeOrder(again); err != nil || got != order {
			t.Fatalf("%+v became %+v, %v", order, got, err)
		}
	})
}

func FuzzParseJobID(f *testing.F) {
	for _, seed := range []string{"PRP-7:3:abc", "a:b:0:c", "::", "x:-1:y", "x:+1:y", "x:01:y", "x:9223372036854775808:y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		if len(id) > 64<<10 { // longer ones are tested by name
			return
		}
		prp, fence, err := tasks.ParseJobID(id)
		if err != nil {
			return
		}
		if prp == "" || fence < 0 || len(id) <= len(prp)+2 || id[:len(prp)+1] != prp+":" {
			t.Fatalf("%q is %q, %d", id, prp, fence)
		}
	})
}

// Whatever an agent writes, it is refused in a short sentence, or it keeps to
// the limits, adds up, and survives being stored.
func FuzzParseResult(f *testing.F) {
	for _, seed := range []string{
		`{"outcome":"done","evidence":{"tests_passed":true,"coverage_pct":81.5}}`,
		`{"outcome":"rejected","reasons":["no tests"],"notes":"n","artifacts":["a.txt"]}`,
		`{"outcome":"question","question":"which?"}`, `{"outcome":"limited","retry_after":"30s"}`, `{"outcome":"retry","retry_after":1e18}`,
		`{"outcome":"failed","usage":{"cost_usd":1e308,"input_tokens":-1,"output_tokens":9223372036854775807}}`,
		`{"outcome":"done","evidence":{"a":[[[[{"b":"]"}]]]]}}`, `{"outcome":"done","notes":"\ud800"}`, "\xff", `{"outcome":"done"}{"outcome":"failed"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 64<<10 { // longer ones are tested by name
			return
		}
		r, err := tasks.ParseResult(file)
		if err != nil {
			if len(err.Error()) > 500 {
				t.Fatalf("no short sentence: %.600q", err)
			}
			return
		}
		if r.Outcome == "" || r.RetryAfter < 0 || time.Duration(r.RetryAfter) > tasks.MaxRetryAfter {
			t.Fatalf("%+v was taken", r)
		}
		if sum := r.Usage.Add(r.Usage).Add(r.Usage); sum.CostUSD < 0 || sum.InputTokens < 0 || sum.OutputTokens < 0 {
			t.Fatalf("the usage %+v adds up to %+v", r.Usage, sum)
		}
		stored, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("it was taken and cannot be stored: %v", err)
		}
		var back tasks.Result
		if err := json.Unmarshal(stored, &back); err != nil || back.Validate() != nil {
			t.Fatalf("stored as %s it is no longer valid: %v, %v", stored, err, back.Validate())
		}
	})
}
