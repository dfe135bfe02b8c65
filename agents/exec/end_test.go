package exec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

const result = `printf '{"outcome":"done","notes":"all of it"}' >"$PRPFLOW_RESULT_FILE"`

func TestCompleteResultEndsTheRunAfterItsGrace(t *testing.T) {
	for name, rest := range map[string]string{
		"silent and deaf": `trap '' TERM; sleep 90`,
		"talkative":       `while :; do echo closing; sleep 0.05; done`,
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t, `echo $$ >leader; `+result+`; `+rest)
			s.task.Agent.Exec.Grace = 300 * time.Millisecond
			began := time.Now()
			got := s.run(t.Context())
			if s.want(got, tasks.Done, ""); got.Notes != "all of it" {
				t.Errorf("got %+v", got)
			}
			if took := time.Since(began); took < 300*time.Millisecond || took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			s.dead("leader")
		})
	}
}

func TestWhoEndsWithinItsGraceIsNotCut(t *testing.T) {
	s := setup(t, result+`; sleep 0.5; echo >whole`)
	s.task.Agent.Exec.Grace = 20 * time.Second
	s.want(s.run(t.Context()), tasks.Done, "")
	s.read("whole")
}

func TestHalfAResultEndsNothing(t *testing.T) {
	s := setup(t, `printf '{"outcome":"do' >"$PRPFLOW_RESULT_FILE"; sleep 1; printf 'ne"}' >>"$PRPFLOW_RESULT_FILE"; echo >whole`)
	s.task.Agent.Exec.Grace = 10 * time.Millisecond
	s.want(s.run(t.Context()), tasks.Done, "")
	s.read("whole")
}

func TestEveryEndTakesWhatHasLeftTheGroup(t *testing.T) {
	for name, c := range map[string]struct {
		how  string
		want tasks.Outcome
	}{
		"done":   {result, tasks.Done},
		"failed": {`printf '{"outcome":"failed","reasons":["no"]}' >"$PRPFLOW_RESULT_FILE"`, tasks.Failed},
		"exit 3": {`exit 3`, tasks.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t, `(setsid sh -c 'trap "" TERM HUP; echo $$ >daemon; sleep 90' >/dev/null 2>&1 &); until [ -s daemon ]; do sleep 0.01; done; `+c.how)
			s.want(s.run(t.Context()), c.want, "")
			s.dead("daemon")
		})
	}
}

func TestSignalOfAServiceManagerIsNoFailure(t *testing.T) {
	for name, how := range map[string]string{"killed": `kill -TERM $$; sleep 9`, "caught": `trap 'exit 143' TERM; kill -TERM $$; sleep 9`} {
		t.Run(name, func(t *testing.T) {
			s := setup(t, how)
			news := make(chan struct{})
			s.task.Stopping = news
			time.AfterFunc(50*time.Millisecond, func() { close(news) })
			if got := s.run(t.Context()); got.Outcome != "" || got.Unwell != "" {
				t.Errorf("got %+v", got)
			}
		})
		t.Run(name+" by somebody", func(t *testing.T) {
			s := setup(t, how)
			s.task.Stopping = make(chan struct{})
			s.want(s.run(t.Context()), tasks.Failed, "")
		})
	}
}

func TestRunWorksInAFolderOfItsOwn(t *testing.T) {
	s := setup(t, "")
	s.task.Agent.Exec.Command = []string{"/bin/sh", "-c", `pwd >../../where; ls -A | wc -l >>../../where`}
	s.want(s.run(t.Context()), tasks.Done, "")
	if got := strings.Fields(s.read("where")); len(got) != 2 || !strings.HasPrefix(got[0], s.task.Dir) || got[1] != "0" {
		t.Errorf("it works in %q", got)
	}
}
