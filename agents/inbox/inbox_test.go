package inbox

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

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
		b, err := New(rdb, Config{})
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
		list, err := b.Overviews(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		folded, _ := Name(name)
		if i := slices.IndexFunc(list, func(o Overview) bool { return o.Name == folded }); i < 0 || list[i].Depth.Waiting != 2 {
			t.Errorf("overviews %+v", list)
		}
	})
}

func TestWhatIsNoMessageOfOursIsShownAsItIs(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b, err := New(rdb, Config{})
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
		shown := map[string]string{
			"plain": "plain", "null": "null", `[1]`: `[1]`, `{"to":"x"}`: `{"to":"x"}`, `{"message":7}`: `{"message":7}`,
			`{"message":"old","extra":{}}`: "old", // a legacy publisher leaves out what it likes
		}
		var pushed []string
		for raw := range shown {
			pushed = append(pushed, raw)
			if _, err := q.Push(t.Context(), reliable.Message{Body: []byte(raw)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := rdb.LPush(t.Context(), q.Keys().Pending, "no envelope").Err(); err != nil {
			t.Fatal(err)
		}
		got, err := b.Peek(t.Context(), name, 0)
		if err != nil || len(got) != len(pushed) {
			t.Fatalf("%+v, %v", got, err)
		}
		for i, m := range got {
			if m.Message != shown[pushed[i]] || m.From != "unknown" || m.To != name || m.Priority != "normal" || m.Type != "direct" || m.Timestamp.IsZero() {
				t.Errorf("%s is shown as %+v", pushed[i], m)
			}
		}
	})
}

func TestPuttingTakesNoPartInTheQueue(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b, err := New(rdb, Config{})
		if err != nil {
			t.Fatal(err)
		}
		name, err := Name(redistest.Name("agent"))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Put(t.Context(), "m", "engine", name, "text", "normal"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Overviews(t.Context()); err != nil {
			t.Fatal(err)
		}
		keys, err := reliable.KeysFor("{q:inbox:" + name + "}")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := rdb.Exists(t.Context(), keys.Takers).Result(); err != nil || n != 0 {
			t.Errorf("there is a taker: %v", err)
		}
	})
}

// The names are those of the contract.
func TestMessageIsShownInTheWordsOfTheContract(t *testing.T) {
	t.Parallel()
	m := message("dev-1", reliable.Message{ID: "m", Attempt: 1, At: time.UnixMilli(1700000000000), Body: []byte(`{"from":"a","message":"hi","priority":"high","type":"agent_to_agent"}`)}, reliable.Waiting)
	got, err := json.Marshal(m)
	want := `{"id":"m","from":"a","to":"dev-1","message":"hi","priority":"high","type":"agent_to_agent",` +
		`"timestamp":"2023-11-14T22:13:20Z","attempt":2,"state":"waiting","history":[]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

func TestErrorsNameTheInbox(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer rdb.Close()
	b, err := New(rdb, Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, peek := b.Peek(t.Context(), "Dev-1", 1)
	_, depths := b.Overviews(t.Context())
	for _, err := range []error{peek, depths, b.Put(t.Context(), "m", "a", "Dev-1", "text", "normal")} {
		if err == nil || !strings.HasPrefix(err.Error(), "inbox") {
			t.Errorf("got %v", err)
		}
	}
}

func TestNamesAreFoldedAndChecked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"Dev-1": "dev-1", " a.b_c ": "a.b_c", "": "", "a b": "", "-x": "", "é": ""} {
		got, err := Name(in)
		if got != want || (want == "") != errors.Is(err, ErrName) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	b, err := New(redistest.Mini(t), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), "id", "x", "no name", "text", "normal"); !errors.Is(err, ErrName) {
		t.Errorf("put: %v", err)
	}
	if _, err := b.Peek(t.Context(), "no name", 1); !errors.Is(err, ErrName) {
		t.Errorf("peek: %v", err)
	}
	if _, err := New(nil, Config{}); err == nil {
		t.Error("an inbox without a client")
	}
}
