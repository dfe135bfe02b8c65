// Package broker carries tasks over Asynq: it enqueues the order of a job, runs
// one Asynq server per agent, and answers what lies where. An Asynq task is a
// doorbell, never the truth: handlers are fenced by the record, so a task that
// is delivered twice, late or not at all costs nothing but time.
//
// Asynq polls an idle queue; this package does not let it. See wake.go.
package broker
