package redisstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// fields are what a record's hash is read by: version, state, times of the last
// change and of the first, and the record itself. Beside them it holds the token
// of each of the last sixteen changes, t<version>.
var fields = []string{"v", "s", "a", "c", "d"}

// record reads the fields of a record's hash. One that is not there has no ID.
func record(values []any) (workflow.Record, error) {
	var rec workflow.Record
	if len(values) != len(fields) || values[0] == nil {
		return rec, nil
	}
	text := make([]string, len(values))
	for i, v := range values {
		text[i], _ = v.(string)
	}
	if err := json.Unmarshal([]byte(text[4]), &rec); err != nil {
		return rec, fmt.Errorf("the record is damaged: %w", err)
	}
	if rec.Schema > workflow.SchemaVersion {
		return rec, newer("the record", rec.Schema)
	}
	version, verr := strconv.ParseInt(text[0], 10, 64)
	at, aerr := strconv.ParseInt(text[2], 10, 64)
	created, cerr := strconv.ParseInt(text[3], 10, 64)
	if err := errors.Join(verr, aerr, cerr); err != nil {
		return rec, fmt.Errorf("the record is damaged: %w", err)
	}
	rec.Version, rec.State, rec.UpdatedAt, rec.CreatedAt = version, text[1], micros(at), micros(created)
	return rec, nil
}

func newer(what string, schema int) error {
	return fmt.Errorf("%s was written by a newer prpflow (schema %d, this one reads %d): upgrade this program", what, schema, workflow.SchemaVersion)
}

func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }
