package inbox

import (
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/reliable"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(redistest.Tests{M: m}, goleak.IgnoreCurrent())
}

func TestMessagesWaitInTheirOrderAndOnce(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b, err := New(rdb)
		if err != nil {
			t.Fatal(err)
		}
		name := redistest.Name("orchestrator")
		for _, id := range []string{"m1", "m2", "m1"} {
			if err := b.Put(t.Context(), id+name, "engine", "  "+name+" ", "text of "+id, "high"); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // looking takes nothing
			got, err := b.Peek(t.Context(), name, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 2 || got[0].Message != "text of m1" || got[1].ID != "m2"+name {
				t.Fatalf("waiting: %+v", got)
			}
			if m := got[0]; m.From != "engine" || m.Priority != "high" || m.Type != "direct" || m.Attempt != 1 || m.State != "waiting" || m.Timestamp.IsZero() || m.History == nil {
				t.Errorf("message %+v", m)
			}
		}
		if one, err := b.Peek(t.Context(), name, 1); err != nil || len(one) != 1 {
			t.Errorf("one asked: %v, %v", one, err)
		}
		depths, err := b.Depths(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		folded, _ := Name(name)
		if depths[folded] != 2 {
			t.Errorf("depths %v", depths)
		}
	})
}

func TestWhatIsNoMessageOfOursIsShownAsItIs(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b, err := New(rdb)
		if err != nil {
			t.Fatal(err)
		}
		name, err := Name(redistest.Name("agent"))
		if err != nil {
			t.Fatal(err)
		}
		q, err := reliable.New(rdb, reliable.Config{Name: "inbox:" + name})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.Push(t.Context(), reliable.Message{ID: "x", Body: []byte("plain")}); err != nil {
			t.Fatal(err)
		}
		got, err := b.Peek(t.Context(), name, 0)
		if err != nil || len(got) != 1 || got[0].Message != "plain" || got[0].From != "unknown" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestNamesAreFoldedAndChecked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"Dev-1": "dev-1", " a.b_c ": "a.b_c", "": "", "a b": "", "-x": "", "é": ""} {
		got, err := Name(in)
		if got != want || (want == "") != errors.Is(err, ErrName) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	b, err := New(redistest.Mini(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), "id", "x", "no name", "text", "normal"); !errors.Is(err, ErrName) {
		t.Errorf("put: %v", err)
	}
	if _, err := b.Peek(t.Context(), "no name", 1); !errors.Is(err, ErrName) {
		t.Errorf("peek: %v", err)
	}
	if _, err := New(nil); err == nil {
		t.Error("an inbox without a client")
	}
}
