package reliable

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEnvelopeIsPinned(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1700000000000)
	for want, m := range map[string]Message{
		`{"id":"m1","attempt":2,"at":1700000000000,"body":"text"}`: {ID: "m1", Attempt: 2, At: at, Body: []byte("text")},
		`{"id":"m1","attempt":0,"at":0,"body":""}`:                 {ID: "m1"},
		`{"id":"m1","attempt":0,"at":0,"body64":"/w=="}`:           {ID: "m1", Body: []byte{0xff}},
	} {
		got, err := Encode(m)
		if err != nil || string(got) != want {
			t.Errorf("%+v is %s, %v, want %s", m, got, err, want)
		}
	}
}

func TestDecodeGivesBackWhatEncodeTook(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := Message{
			ID:      rapid.StringMatching(`[a-zA-Z0-9:{}"\\é<>&]{1,20}`).Draw(t, "id"),
			Attempt: rapid.IntRange(0, 1000).Draw(t, "attempt"),
			Body:    rapid.SliceOf(rapid.Byte()).Draw(t, "body"),
		}
		if ms := rapid.Int64Range(0, 4e12).Draw(t, "at"); ms > 0 {
			m.At = time.UnixMilli(ms)
		}
		raw, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got.Body == nil {
			got.Body = []byte{}
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestDecodeRefusesWhatIsNoMessage(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "text", "[]", `"id"`, "null", "{}", `{"id":""}`, `{"id":7}`, `{"ID":"m1"}`, `{"id":"m1","attempt":"x"}`,
		`{"id":"m1","at":"now"}`, `{"id":"m1","body":7}`, `{"id":"m1","body64":"?"}`, "{\"id\":\"m\xff\"}", `{"id":"\ud800"}`,
	} {
		if m, err := Decode([]byte(raw)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q is %+v, %v", raw, m, err)
		}
	}
}

func TestDecodeLeavesUnknownFieldsAlone(t *testing.T) {
	t.Parallel()
	m, err := Decode([]byte(`{"new":{"id":"x"},"id":"m1"}`))
	if err != nil || m.ID != "m1" || !m.At.IsZero() || len(m.Body) != 0 {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestEncodeRefusesIdsThatJSONChanges(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "\xff", "�"} {
		if _, err := Encode(Message{ID: id}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
