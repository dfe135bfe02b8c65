package agents_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

// letters are the messages of one run.
type letters struct {
	mu   sync.Mutex
	said []string
	away bool
}

func (l *letters) Hold(_ context.Context, agent, role string) (agents.Letters, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, "hold "+agent+" "+role)
	if l.away {
		return nil, errors.New("no answer")
	}
	return l, nil
}

func (l *letters) Messages() []json.RawMessage {
	return []json.RawMessage{json.RawMessage(`{"message":"the build is red"}`)}
}

func (l *letters) say(what string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, what)
	return nil
}
func (l *letters) Done(context.Context) error   { return l.say("done") }
func (l *letters) Return(context.Context) error { return l.say("return") }

func TestACommandIsGivenItsMessagesAndTheyAreReadWithItsResult(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[string]string{"done": "done", "rejected": "done", "failed": "return", "retry": "return"} {
		mail, dir := &letters{}, t.TempDir()
		h := open(t, func(c *agents.Config) {
			script(dir, `cp "$PRPFLOW_TASK_FILE" "$D/task"; echo '{"outcome":"`+outcome+`","reasons":["x"]}' >"$PRPFLOW_RESULT_FILE"`)(c)
			c.Mail = mail
		})
		<-h.begin(t.Context(), "PRP-1")
		if got := strings.Join(mail.said, ", "); got != "hold dev-1 developer, "+want {
			t.Errorf("%s: %s", outcome, got)
		}
		b, err := os.ReadFile(filepath.Join(dir, "task"))
		if err != nil || !strings.Contains(string(b), "the build is red") {
			t.Errorf("task file %s, %v", b, err)
		}
	}
}

func TestARunGoesOnWithoutMessagesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	mail := &letters{away: true}
	h := open(t, func(c *agents.Config) {
		script(t.TempDir(), `echo '{"outcome":"done"}' >"$PRPFLOW_RESULT_FILE"`)(c)
		c.Mail = mail
	})
	<-h.begin(t.Context(), "PRP-1")
	if len(h.engine.delivered) != 1 || h.engine.delivered[0].Result.Outcome != tasks.Done || len(mail.said) != 1 {
		t.Errorf("delivered %+v, said %q", h.engine.delivered, mail.said)
	}
}

func TestAGoFunctionTakesItsMessagesItself(t *testing.T) {
	t.Parallel()
	mail := &letters{}
	h := open(t, func(c *agents.Config) {
		with(func(context.Context, agents.Task) tasks.Result { return tasks.Result{Outcome: tasks.Done} })(c)
		c.Mail = mail
	})
	<-h.begin(t.Context(), "PRP-1")
	if len(mail.said) != 0 {
		t.Errorf("said %q", mail.said)
	}
}
