package redisstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/prpflow/prpflow/workflow"
)

// PutLog keeps what a run has printed.
func (s *Store) PutLog(ctx context.Context, prp string, log workflow.RunLog) error {
	key, err := s.logsKey(prp)
	if log.Run == "" {
		err = errEmpty
	}
	if err != nil {
		return failure("log", prp, err)
	}
	b, err := json.Marshal(log)
	if err != nil {
		return fmt.Errorf("redisstore: log of %s: %w", prp, err)
	}
	return failure("log", prp, s.rdb.HSet(ctx, key, log.Run, b).Err())
}

// Logs lists what runs have printed, in the order of their runs.
func (s *Store) Logs(ctx context.Context, prp string) ([]workflow.RunLog, error) {
	key, err := s.logsKey(prp)
	if err != nil {
		return nil, failure("logs", prp, err)
	}
	all, err := s.rdb.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, failure("logs", prp, err)
	}
	logs := make([]workflow.RunLog, 0, len(all))
	for run, text := range all {
		var l workflow.RunLog
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			return nil, fmt.Errorf("redisstore: log of %s, run %s is damaged: %w", prp, run, err)
		}
		logs = append(logs, l)
	}
	slices.SortFunc(logs, func(a, b workflow.RunLog) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.Run, b.Run))
	})
	return logs, nil
}
