package workflow

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Decode reads a record as a store keeps it. One of the schema before is
// upgraded; a newer one, or one that is damaged, is ErrUnreadable.
func Decode(data []byte) (Record, error) {
	var head struct {
		Schema int    `json:"schema"`
		ID     string `json:"id"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Record{}, fmt.Errorf("%w: it is damaged: %w", ErrUnreadable, err)
	}
	switch {
	case head.Schema > SchemaVersion:
		return Record{ID: head.ID, Schema: head.Schema}, Newer("the record", head.Schema)
	case head.Schema <= 1:
		return decode1(data)
	}
	var rec Record
	if err := json.Unmarshal(data, &rec); err != nil {
		return Record{ID: head.ID}, fmt.Errorf("%w: it is damaged: %w", ErrUnreadable, err)
	}
	return rec, nil
}

// record1 is what schema 1 had beside the fields that kept their names.
type record1 struct {
	Back      string         `json:"back"`
	Job       *tasks.Job     `json:"job"`
	Holder    *Holder        `json:"holder"`
	Question  string         `json:"question"`
	Answer    string         `json:"answer"`
	Awaits    string         `json:"awaits"`
	Evidence  map[string]any `json:"evidence"`
	Lease     string         `json:"lease"`
	Member    string         `json:"member"`
	Granted   bool           `json:"granted"`
	Failures  int            `json:"failures"`
	Lost      int            `json:"lost"`
	Runs      int            `json:"runs"`
	WaitUntil time.Time      `json:"wait_until"`
	WaitWhy   string         `json:"wait_why"`
	Suspect   *Suspect       `json:"suspect"`
	Deadline  time.Time      `json:"deadline"`
	Escalated []string       `json:"escalated"`
}

func decode1(data []byte) (Record, error) {
	var rec Record
	var old record1
	if err := json.Unmarshal(data, &rec); err != nil {
		return Record{}, fmt.Errorf("%w: it is damaged: %w", ErrUnreadable, err)
	}
	if err := json.Unmarshal(data, &old); err != nil {
		return Record{ID: rec.ID}, fmt.Errorf("%w: it is damaged: %w", ErrUnreadable, err)
	}
	rec.Schema = 1 // until it is saved
	rec.Stage = Stage{
		Back: old.Back, Failures: old.Failures, Lost: old.Lost, Runs: max(old.Runs, 0), Deadline: old.Deadline,
		Told: old.Escalated, Asked: old.Question != "",
	}
	if old.Job != nil {
		rec.Stage.Work = &Work{Job: *old.Job, Holder: old.Holder, Suspect: old.Suspect}
		if old.Holder == nil && !old.WaitUntil.IsZero() {
			rec.Stage.Work.Retry = &Retry{At: old.WaitUntil, Why: old.WaitWhy}
		}
	}
	if old.Lease != "" {
		rec.Stage.Merge = &Merge{Lease: old.Lease, Member: old.Member, Capacity: 1, Granted: old.Granted}
	}
	if old.Awaits != "" {
		rec.Stage.Approval = &Approval{old.Awaits, old.Evidence}
	}
	switch {
	case old.Question != "":
		rec.Questions = []tasks.Exchange{{Question: old.Question}}
	case old.Answer != "":
		rec.Questions = []tasks.Exchange{{Answer: old.Answer, Answered: true}}
	}
	if n := len(rec.Dead); n > 0 {
		rec.Failure = rec.Dead[n-1].Reason
		if rec.Dead[n-1].Queue != "" {
			rec.Stage.Letter = rec.Dead[n-1].ID // its task may be in the broker's archive
		}
	}
	if rec.Paused && !rec.Stage.Deadline.IsZero() {
		rec.Stage.Left, rec.Stage.Deadline = max(rec.Stage.Deadline.Sub(rec.UpdatedAt), time.Millisecond), time.Time{}
	}
	return rec, nil
}
