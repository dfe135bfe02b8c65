package bus

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestChannelNamesAgentsInLowerCase(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"PM-1": "agent:pm-1", "dev:1": "agent:dev:1", "": "", "Broadcast": ""} {
		got, err := Channel(name)
		if got != want || (want == "") != errors.Is(err, ErrName) {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	for channel, want := range map[string]string{
		"agent:pm-1": "pm-1", "agent:PM-1": "pm-1", "agent:a:b": "a:b",
		Broadcast: "", "agent:BROADCAST": "", "agent:": "", "agents:pm-1": "", "": "",
	} {
		if got, ok := Agent(channel); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", channel, got, ok)
		}
	}
}

func TestEncodeWritesWhatOldClientsRead(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 7, 18, 12, 0, 0, 123456789, time.FixedZone("east", 7200))
	for want, m := range map[string]Message{
		`{"timestamp": "2025-07-18T10:00:00.123456+00:00", "from": "pm", "to": "dev-1", "message": "<a> & \"b\"\n\u0000é🚀", "priority": "high", "type": "agent_to_agent", "prpflow_id": "m1"}`: {
			Timestamp: at, From: "pm", To: "dev-1", Text: "<a> & \"b\"\n\x00é🚀", Priority: "high", Type: TypeAgentToAgent, ID: "m1",
		},
		`{"timestamp": "2025-07-18T10:00:00.000000+00:00", "from": "unknown", "to": "", "message": "", "priority": "normal", "type": "direct"}`: {
			Timestamp: at.Truncate(time.Second),
		},
	} {
		got, err := Encode(m)
		if err != nil || string(got) != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
	for _, m := range []Message{{Text: "\xff"}, {From: "\xff"}, {ID: "\xff"}} {
		if _, err := Encode(m); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

func TestDecodeReadsWhatOldClientsWrite(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 7, 18, 10, 0, 0, 0, time.UTC)
	only := Message{From: "unknown", Text: "x", Priority: "normal", Type: "direct"}
	with := func(change func(m *Message)) Message { m := only; change(&m); return m }
	for payload, want := range map[string]Message{
		`{"timestamp":"2025-07-18T10:00:00","from":"Orchestrator","to":"Dev-9","message":"x","priority":"high","type":"broadcast","prpflow_id":"m1"}`: {
			at, "Orchestrator", "Dev-9", "x", "high", "broadcast", "m1",
		},
		`{"message":"x"}`:        only,
		" {\"message\":\"x\"}\n": only,
		`{"message":"x","from":7,"to":[],"priority":null,"type":{},"timestamp":1752832800,"prpflow_id":1,"x":{"y":[1]}}`: only,
		`{"message":"x","from":"","priority":"","type":""}`:                                                              only,
		`{"Message":"y","message":"x","MESSAGE":"z","From":"y","TYPE":"z"}`:                                              only,
		`{"message":"y","message":"x"}`:                                                                                  only,
		`{"message":""}`:                                                                                                 with(func(m *Message) { m.Text = "" }),
		`{"message":"a\u0000\u00e9\ud83d\ude80\n"}`:                                                                      with(func(m *Message) { m.Text = "a\x00é🚀\n" }),
		`{"message":"x","timestamp":"2025-07-18 10:00"}`:                                                                 with(func(m *Message) { m.Timestamp = at }),
		`{"message":"x","timestamp":"2025-07-18T10:00Z"}`:                                                                with(func(m *Message) { m.Timestamp = at }),
		`{"message":"x","timestamp":"2025-07-18T10:00:00.5"}`:                                                            with(func(m *Message) { m.Timestamp = at.Add(time.Second / 2) }),
		`{"message":"x","timestamp":"2025-07-18T10:00:00Z"}`:                                                             with(func(m *Message) { m.Timestamp = at }),
		`{"message":"x","timestamp":"2025-07-18T12:00:00.0+02:00"}`:                                                      with(func(m *Message) { m.Timestamp = at }),
		`{"message":"x","timestamp":"2025-07-18T12:00:00+0200"}`:                                                         with(func(m *Message) { m.Timestamp = at }),
		`{"message":"x","timestamp":"yesterday"}`:                                                                        only,
		`{"message":"x","timestamp":"2025-13-18T10:00:00"}`:                                                              only,
		`{"message":"x","timestamp":""}`:                                                                                 only,
	} {
		got, err := Decode([]byte(payload))
		if err != nil || got != want {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", payload, got, err, want)
		}
	}
}

func TestDecodeSaysWhyItIsNoMessage(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		"":                        "unexpected end",
		"not json":                "invalid character",
		`{"message": "cut`:        "unexpected end",
		`{"message":"x"} more`:    "after top-level value",
		`[1, 2]`:                  "cannot unmarshal array",
		`42`:                      "cannot unmarshal number",
		`null`:                    "not a JSON object",
		`{"from": "nobody"}`:      `no text in the field "message"`,
		`{"message": 7}`:          `no text in the field "message"`,
		`{"message": null}`:       `no text in the field "message"`,
		`{"message": ["x"]}`:      `no text in the field "message"`,
		`{"Message": "x"}`:        `no text in the field "message"`,
		"\xff\xfe\x00binary":      "not UTF-8",
		"{\"message\": \"\xff\"}": "not UTF-8",
	} {
		m, err := Decode([]byte(payload))
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), want) || m != (Message{}) {
			t.Errorf("%q: %+v, %v", payload, m, err)
		}
	}
}

// What Decode accepts is a JSON object with a text, and Encode writes it so that it
// comes back unchanged.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"timestamp":"2025-07-18T10:00:00.123","from":"a","to":"b","message":"c","priority":"high","type":"direct","prpflow_id":"m"}`,
		`{"message":"x","from":7}`, `{"message":"\ud800"}`, `null`, `[1]`, "\xff", `{"message":"x","timestamp":"9999-12-31T23:59:59.9999999-23:59"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > 64<<10 { // longer ones are tested by name
			return
		}
		m, err := Decode(payload)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%q: %v", payload, err)
			}
			return
		}
		if m.From == "" || m.Priority == "" || m.Type == "" {
			t.Errorf("%q: a default is missing in %+v", payload, m)
		}
		again, err := Encode(m)
		if err != nil || !json.Valid(again) {
			t.Fatalf("%+v is encoded as %s, %v", m, again, err)
		}
		got, err := Decode(again)
		if y := m.Timestamp.Year(); y > 9999 || y < 1 { // no clock of an old client
			m.Timestamp, got.Timestamp = time.Time{}, time.Time{}
		}
		m.Timestamp = m.Timestamp.Truncate(time.Microsecond)
		if err != nil || got != m {
			t.Errorf("%+v\ncame back as\n%+v, %v", m, got, err)
		}
	})
}
