package redisstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow"
)

// failure says what kind of failure an error of Redis is. Whatever is not known
// to have been refused may have happened: workflow.ErrUnavailable.
func failure(op, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil), errors.Is(err, reliable.ErrNotTaken):
		err = workflow.ErrNotFound
	case errors.Is(err, workflow.ErrNotFound), errors.Is(err, reliable.ErrMalformed), answered(err):
	default:
		err = fmt.Errorf("%w: %w", workflow.ErrUnavailable, err)
	}
	return fmt.Errorf("redisstore: %s: %w", strings.TrimSpace(op+" "+id), err)
}

// answered says whether Redis has refused for good.
func answered(err error) bool {
	var answer redis.Error
	return errors.As(err, &answer) && !refusesForNow(err)
}

// passing are answers of a server that cannot serve at the moment, or that is no
// longer the one to ask.
var passing = []string{
	"LOADING ", "READONLY ", "CLUSTERDOWN ", "MASTERDOWN ", "TRYAGAIN ", "BUSY ", "OOM ", "MISCONF ", "NOREPLICAS ",
	"MOVED ", "ASK ", "UNBLOCKED ", "max number of clients reached",
}

// refusesForNow tells such answers. All scripts write first what a server that
// must not write refuses, so nothing has been changed. Before Redis 7 the answer
// of a script's command is quoted after a dash.
func refusesForNow(err error) bool {
	for _, prefix := range passing {
		if redis.HasErrorPrefix(err, prefix) || strings.Contains(err.Error(), ": -"+prefix) {
			return true
		}
	}
	return false
}
