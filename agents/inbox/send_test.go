package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/reliable"
)

const patience = 20 * time.Second

// bench is a test's inboxes, and the name of one that no other test has.
type bench struct {
	*testing.T
	*Inbox
	rdb  redis.UniversalClient
	name string
}

func each(t *testing.T, test func(b *bench)) {
	t.Helper()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		box, err := New(rdb, Config{})
		b := &bench{T: t, Inbox: box, rdb: rdb, name: strings.ToLower(redistest.Name("dev"))}
		b.must(err)
		test(b)
	})
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) send(d Draft) string {
	b.Helper()
	if d.To == "" {
		d.To = b.name
	}
	id, _, err := b.Send(b.Context(), d)
	b.must(err)
	return id
}

// texts are what waits for a name.
func (b *bench) texts(name string) (texts []string) {
	b.Helper()
	waiting, err := b.Peek(b.Context(), name, 0)
	b.must(err)
	for _, m := range waiting {
		texts = append(texts, m.Message)
	}
	return texts
}

func (b *bench) want(name string, texts ...string) {
	b.Helper()
	if got := b.texts(name); !slices.Equal(got, texts) {
		b.Errorf("the inbox of %s has %q, want %q", name, got, texts)
	}
}

func (b *bench) until(what string, happened func() bool) {
	b.Helper()
	for end := time.Now().Add(patience); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("it never happened: %s", what)
		}
	}
}

// mine are the dead letters of this test.
func (b *bench) mine() []Dead {
	b.Helper()
	dead, err := b.Dead(b.Context())
	b.must(err)
	return slices.DeleteFunc(dead, func(d Dead) bool { return d.To != b.name })
}

func TestWhatIsSentIsHeardOnTheBusAndDoesNotComeBack(t *testing.T) {
	t.Parallel()
	each(t, func(b *bench) {
		sub := b.rdb.Subscribe(b.Context(), "agent:"+b.name)
		defer sub.Close()
		_, err := sub.Receive(b.Context())
		b.must(err)
		id := b.send(Draft{From: "PM-1", Text: "hello", Type: bus.TypeAgentToAgent, Priority: "high"})
		raw := <-sub.Channel()
		m, err := bus.Decode([]byte(raw.Payload))
		b.must(err)
		if m.ID != id || m.Text != "hello" || m.From != "PM-1" || m.To != b.name || m.Type != bus.TypeAgentToAgent || m.Priority != "high" {
			b.Errorf("heard %+v", m)
		}
		for range 2 { // by two bridges
			b.must(b.Hear(b.Context(), bus.Heard{Channel: raw.Channel, Payload: []byte(raw.Payload)}))
		}
		b.want(b.name, "hello")
		if _, fresh, err := b.Send(b.Context(), Draft{ID: id, To: b.name, Text: "hello"}); fresh || err != nil {
			b.Errorf("sent again it is new: %t, %v", fresh, err)
		}
	})
}

func TestWhatOldClientsPublishIsInTheInboxOnce(t *testing.T) {
	t.Parallel()
	each(t, func(b *bench) {
		say := func(channel, payload string) {
			for range 2 {
				b.must(b.Hear(b.Context(), bus.Heard{Channel: channel, Payload: []byte(payload)}))
			}
		}
		say("agent:"+b.name, `{"timestamp":"2025-07-18T10:00:00","from":"Orchestrator","to":"X","message":"one","priority":"high","type":"direct"}`)
		say("agent:"+b.name, `{"message":"two","id":7}`)
		say("agent:broadcast", `{"message":"to all"}`)
		say("agent:no name", `{"message":"nobody's"}`)
		say("agent:"+b.name, "no json")
		say("agent:"+b.name, "\xff\xfe")
		b.want(b.name, "one", "two")
		got, err := b.Peek(b.Context(), b.name, 1)
		b.must(err)
		if m := got[0]; m.From != "Orchestrator" || m.To != b.name || m.Priority != "high" || !m.Timestamp.Equal(time.Date(2025, 7, 18, 10, 0, 0, 0, time.UTC)) {
			b.Errorf("got %+v", m)
		}
		dead := b.mine()
		if len(dead) != 2 || dead[0].Message.Message+dead[1].Message.Message != "no json\ufffd" && dead[1].Message.Message != "no json" || dead[0].Cause() != CauseMalformed {
			b.Errorf("dead letters: %+v", dead)
		}
	})
}

func TestSenderIsToldOnceThatItsMessageDied(t *testing.T) {
	t.Parallel()
	each(t, func(b *bench) {
		sender := b.name + "-pm"
		b.send(Draft{ID: "m1" + b.name, From: strings.ToUpper(sender), Type: bus.TypeAgentToAgent, Text: "too\nlate", TTL: time.Millisecond})
		b.send(Draft{From: sender, Type: bus.TypeDirect, Text: "of a person", TTL: time.Millisecond})
		b.until("the sender is told", func() bool {
			b.must(b.Tend(b.Context()))
			return len(b.texts(sender)) > 0 && len(b.mine()) == 2
		})
		for range 3 {
			b.must(b.Tend(b.Context()))
			b.must(b.rdb.HDel(b.Context(), toldKey, b.name).Err()) // as another process that has not noted it yet
		}
		got := b.texts(sender)
		if len(got) != 1 || !strings.Contains(got[0], "m1"+b.name) || !strings.Contains(got[0], "expired") || !strings.Contains(got[0], "too late") {
			b.Errorf("told %q", got)
		}
	})
}

func TestTakeGivesOneMessageAndItsAnswerCounts(t *testing.T) {
	t.Parallel()
	each(t, func(b *bench) {
		b.send(Draft{Text: "first", Backoff: time.Millisecond})
		b.send(Draft{Text: "second"})
		bad := errors.New("bad")
		for i, answer := range []error{bad, nil} {
			n, last, err := b.Take(b.Context(), b.name, TakeConfig{Wait: time.Second}, func(_ context.Context, m Message) error {
				if m.State != string(reliable.Taken) || m.Message != []string{"first", "second"}[i] {
					b.Errorf("took %+v", m)
				}
				return answer
			})
			b.must(err)
			if n != 1 || !errors.Is(last, answer) {
				b.Errorf("took %d, answer %v", n, last)
			}
		}
		b.until("the first comes back", func() bool {
			n, _, err := b.Take(b.Context(), b.name, TakeConfig{}, func(context.Context, Message) error { return nil })
			b.must(err)
			return n == 1
		})
		if n, _, err := b.Take(b.Context(), b.name, TakeConfig{}, nil); n != 0 || err != nil {
			b.Errorf("of an empty inbox: %d, %v", n, err)
		}
	})
}

func TestFollowTakesUntilNothingComes(t *testing.T) {
	t.Parallel()
	each(t, func(b *bench) {
		for i := range 3 {
			b.send(Draft{Text: fmt.Sprint(i)})
		}
		var got []string
		n, _, err := b.Take(b.Context(), b.name, TakeConfig{Follow: true, Wait: 50 * time.Millisecond}, func(_ context.Context, m Message) error {
			got = append(got, m.Message)
			return nil
		})
		b.must(err)
		if n != 3 || !slices.Equal(got, []string{"0", "1", "2"}) {
			b.Errorf("took %d: %q", n, got)
		}
	})
}

func TestHeldMessagesAreReadWithTheResultOrComeBack(t *testing.T) {
	t.Parallel()
	each(t, func(b *bench) {
		if none, err := b.Hold(b.Context(), b.name); err != nil || len(none.Messages()) != 0 || none.Done(b.Context()) != nil || none.Return(b.Context()) != nil {
			b.Errorf("of an empty inbox: %v", err)
		}
		b.send(Draft{Text: "1"})
		b.send(Draft{Text: "2"})
		for _, done := range []bool{false, true} {
			h, err := b.Hold(b.Context(), strings.ToUpper(b.name))
			b.must(err)
			var first Message
			if list := h.Messages(); len(list) != 2 || json.Unmarshal(list[0], &first) != nil || first.Message != "1" || first.Attempt != 1 {
				b.Errorf("held %s", list)
			}
			b.want(b.name)
			if done {
				b.must(h.Done(b.Context()))
				b.must(h.Return(b.Context()))
				b.want(b.name)
			} else {
				b.must(h.Return(b.Context()))
				b.want(b.name, "1", "2")
			}
		}
		list, err := b.Overviews(b.Context())
		b.must(err)
		i := slices.IndexFunc(list, func(o Overview) bool { return o.Name == b.name })
		if i < 0 || list[i].Books.Done != 2 || list[i].Books.Imbalance() != 0 {
			b.Errorf("books: %+v", list)
		}
	})
}

func TestReceiptSaysWhereAMessageIs(t *testing.T) {
	t.Parallel()
	each(t, func(b *bench) {
		id := b.send(Draft{Text: "x", MaxAttempts: 1})
		is := func(want reliable.Place) {
			b.Helper()
			r, err := b.Find(b.Context(), id)
			b.must(err)
			if r.State != want || r.Inbox != b.name {
				b.Errorf("%+v, want %s", r, want)
			}
		}
		is(reliable.Waiting)
		_, _, err := b.Take(b.Context(), b.name, TakeConfig{}, func(context.Context, Message) error { is(reliable.Taken); return errors.New("no") })
		b.must(err)
		is(reliable.Dead)
		b.must(b.Replay(b.Context(), b.name, id))
		is(reliable.Waiting)
		_, _, err = b.Take(b.Context(), b.name, TakeConfig{}, func(context.Context, Message) error { return nil })
		b.must(err)
		is(reliable.Done)
		if r, err := b.Find(b.Context(), "never "+b.name); err != nil || r.State != reliable.Unknown {
			b.Errorf("%+v, %v", r, err)
		}
	})
}

func TestDeadLettersAreReplayedAndDropped(t *testing.T) {
	t.Parallel()
	each(t, func(b *bench) {
		for i := range 3 {
			b.send(Draft{ID: fmt.Sprint(b.name, i), Text: fmt.Sprint(i), MaxAttempts: 1})
			_, _, err := b.Take(b.Context(), b.name, TakeConfig{}, func(context.Context, Message) error { return errors.New("no") })
			b.must(err)
		}
		b.must(b.Drop(b.Context(), b.name, fmt.Sprint(b.name, 0)))
		if err := b.Drop(b.Context(), b.name, "unknown"); !errors.Is(err, reliable.ErrNoLetter) {
			b.Errorf("drop of an unknown one: %v", err)
		}
		if d := b.mine(); len(d) != 2 || d[0].Attempt != 1 || len(d[0].History) != 1 || d[0].Cause() != CauseFailed {
			b.Errorf("dead letters %+v", d)
		}
		n, err := b.ReplayAll(b.Context(), b.name)
		b.must(err)
		if n != 2 {
			b.Errorf("%d are back", n)
		}
		b.must(b.Pause(b.Context(), b.name))
		if n, _, err := b.Take(b.Context(), b.name, TakeConfig{}, nil); n != 0 || err != nil {
			b.Errorf("of a paused inbox: %d, %v", n, err)
		}
		b.must(b.Resume(b.Context(), b.name))
		if n, err := b.Purge(b.Context(), b.name); n != 2 || err != nil {
			b.Errorf("thrown away: %d, %v", n, err)
		}
	})
}

func TestDraftsThatCannotBeSentAreRefused(t *testing.T) {
	t.Parallel()
	b, err := New(redistest.Mini(t), Config{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]error{"broadcast": ErrName, "no name": ErrName, "": ErrName} {
		if _, _, err := b.Send(t.Context(), Draft{To: to, Text: "x"}); !errors.Is(err, want) {
			t.Errorf("to %q: %v", to, err)
		}
	}
	if _, _, err := b.Send(t.Context(), Draft{To: "a", Text: strings.Repeat("x", MaxText+1)}); !errors.Is(err, ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
	if _, _, err := b.Send(t.Context(), Draft{To: "a", Text: "1"}); err != nil {
		t.Error(err)
	}
	if _, _, err := b.Send(t.Context(), Draft{To: "a", Text: "2"}); !errors.Is(err, reliable.ErrFull) {
		t.Errorf("to a full inbox: %v", err)
	}
	if err := b.Hear(t.Context(), bus.Heard{Channel: "agent:a", Payload: []byte(`{"message":"3"}`)}); err != nil {
		t.Errorf("a full inbox holds up the bus: %v", err)
	}
}
