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
		`{"id":"m1","attempt":2,"at":1700000000000,"body":"a\tb"}`, `{"id":"m1","attempt":02,"at":1,"body":""}`, `{"id":"m1","attempt":0,"at":0,"body":"a","body":"b"}`,
		`{"id":"","attempt":0,"at":0,"body":"a"}`, `{"id":"m","attempt":+1,"at":1,"body":""}`, `{"id":"m","attempt":9999999999999999,"at":1,"body":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 64<<10 { // longer ones are tested by name
			return
		}
		m, err := Decode(raw)
		if slow, serr := decode(raw); (serr == nil) != (err == nil) || slow.ID != m.ID || slow.Attempt != m.Attempt || !slow.At.Equal(m.At) || string(slow.Body) != string(m.Body) {
			t.Fatalf("read as %+v, %v, and the long way as %+v, %v", m, err, slow, serr)
		}
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
