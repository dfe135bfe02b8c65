package redisstore

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// fields are what a record's hash is read by: version, state, times of the last
// change and of the first, the record itself, and the token of the last change.
// Beside them it holds the tokens of the last sixteen changes, t0 to t15, each in
// the field of its version modulo 16.
var fields = []string{"v", "s", "a", "c", "d", "k"}

// loaded reads the fields of a record's hash. One that is not there has no ID.
func loaded(id string, values []any) workflow.Loaded {
	if len(values) != len(fields) || values[0] == nil {
		return workflow.Loaded{}
	}
	text := make([]string, len(values))
	for i, v := range values {
		text[i], _ = v.(string)
	}
	rec, err := workflow.Decode([]byte(text[4]))
	version, verr := strconv.ParseInt(text[0], 10, 64)
	at, aerr := strconv.ParseInt(text[2], 10, 64)
	created, cerr := strconv.ParseInt(text[3], 10, 64)
	if broken := errors.Join(verr, aerr, cerr); err == nil && broken != nil {
		err = fmt.Errorf("%w: it is damaged: %w", workflow.ErrUnreadable, broken)
	}
	if err == nil && rec.ID != id {
		err = fmt.Errorf("%w: it is damaged: it calls itself %q", workflow.ErrUnreadable, rec.ID)
	}
	if err != nil {
		err = fmt.Errorf("redisstore: the record %s: %w", id, err)
		rec = workflow.Record{Schema: rec.Schema}
	}
	rec.ID, rec.Version, rec.State, rec.UpdatedAt, rec.CreatedAt, rec.Token = id, version, text[1], micros(at), micros(created), text[5]
	return workflow.Loaded{Record: rec, Err: err}
}

func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }
