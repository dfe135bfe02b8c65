package reliable

import (
	"errors"
	"testing"
	"time"
)

// What lies in a queue is a message that survives being written again, or it is
// refused as no message, so that it becomes a dead letter.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"id":"m1","attempt":2,"at":1700000000000,"body":"text"}`, `{"id":"m1","body64":"/w=="}`, `{"ID":"m1"}`, `{"id":"m1","id":"m2"}`,
		`{"id":"\ud800"}`, "{\"id\":\"\xff\"}", `{"id":"m","body":null,"body64":null}`, `{"id":"m","at":-9223372036854775808}`, `[]`, "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Decode(raw)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("%v does not say that it is no message", err)
			}
			return
		}
		again, err := Encode(m)
		if err != nil {
			t.Fatalf("%+v was read and cannot be written: %v", m, err)
		}
		got, err := Decode(again)
		if err != nil || got.ID != m.ID || got.Attempt != m.Attempt || string(got.Body) != string(m.Body) {
			t.Fatalf("%+v became %+v, %v", m, got, err)
		}
		if !m.At.IsZero() && m.At.Year() < 9999 && !got.At.Truncate(time.Millisecond).Equal(m.At.Truncate(time.Millisecond)) {
			t.Fatalf("of %s became %s", m.At, got.At)
		}
	})
}
