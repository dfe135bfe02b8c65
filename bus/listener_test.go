package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

func TestListenerHearsEveryChannelAndSubscribersHearUs(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(t, rdb)
		broadcast := make(chan Message, 1)
		l := b.listener(rdb, ListenerConfig{})
		old := rdb.Subscribe(t.Context(), "agent:"+b.name) // as an old client does
		defer old.Close()
		_, err := old.Receive(t.Context())
		b.must(err)
		text := b.name + " sends this alone"
		go l.Listen(t.Context(), func(_ context.Context, h Heard) error {
			if m, err := Decode(h.Payload); err == nil && h.Channel == Broadcast && m.Text == text {
				broadcast <- m
			}
			return nil
		})
		b.until("it hears", l.Ready)
		before := time.Now().Truncate(time.Microsecond)
		b.must(PublishBroadcast(t.Context(), rdb, Message{From: "pm", Text: text, Type: TypeDirect, ID: "b1"}))
		got := <-broadcast
		if got.Timestamp.Before(before) || got.Timestamp.After(time.Now()) {
			t.Errorf("it was sent at %s", got.Timestamp)
		}
		got.Timestamp = time.Time{}
		if want := (Message{From: "pm", To: "all", Text: text, Priority: "normal", Type: TypeBroadcast, ID: "b1"}); got != want {
			t.Errorf("the broadcast is %+v", got)
		}

		at := time.Date(2025, 7, 18, 10, 0, 0, 0, time.UTC)
		b.must(Publish(t.Context(), rdb, strings.ToUpper(b.name), Message{Timestamp: at, Text: "to the old bus"}))
		m, err := old.ReceiveMessage(t.Context())
		b.must(err)
		want := `{"timestamp": "2025-07-18T10:00:00.000000+00:00", "from": "unknown", "to": "` + strings.ToUpper(b.name) +
			`", "message": "to the old bus", "priority": "normal", "type": "direct"}`
		if m.Payload != want {
			t.Errorf("an old client hears %s", m.Payload)
		}
	})
}

func TestMessagesAreHandledInTheirOrder(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(t, rdb)
		b.start(b.listener(rdb, ListenerConfig{}), nil)
		var want []string
		node, err := nodeOf(t.Context(), rdb, "agent:"+b.name)
		b.must(err)
		pipe := node.Pipeline()
		for n := range 1000 {
			want = append(want, fmt.Sprint(n))
			payload, err := Encode(Message{Text: fmt.Sprint(n)})
			b.must(err)
			pipe.Publish(t.Context(), "agent:"+b.name, payload)
		}
		_, err = pipe.Exec(t.Context())
		b.must(err)
		b.wantTexts(want...)
	})
}

func TestAnythingThatIsPublishedIsHandedOver(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(t, rdb)
		payloads := []string{"", "\xff\x00\r\n", strings.Repeat("long ", 1<<20)}
		var got []string
		before := time.Now()
		b.start(b.listener(rdb, ListenerConfig{}), func(_ context.Context, h Heard) error {
			if h.At.Before(before) || h.At.After(time.Now()) || h.Channel != "agent:"+b.name+"-X" {
				t.Errorf("heard at %s on %s", h.At, h.Channel)
			}
			got = append(got, string(h.Payload))
			return nil
		})
		node, err := nodeOf(t.Context(), rdb, "agent:"+b.name)
		b.must(err)
		for _, p := range payloads {
			b.must(node.Publish(t.Context(), "agent:"+b.name+"-X", p).Err())
		}
		b.until("all are handled", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.heard) == len(payloads) })
		if !slices.Equal(got, payloads) {
			t.Errorf("heard %.100q", got)
		}
	})
}

func TestHandlerThatFailsIsCalledAgainBeforeTheNextMessage(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(t, rdb)
		l := b.listener(rdb, ListenerConfig{})
		var calls []string
		b.start(l, func(_ context.Context, h Heard) error {
			m, err := Decode(h.Payload)
			b.must(err)
			calls = append(calls, m.Text)
			if len(calls) < 4 {
				return errors.New("broken")
			}
			return nil
		})
		b.publish("1", "2")
		b.wantTexts("1", "2")
		if want := []string{"1", "1", "1", "1", "2"}; !slices.Equal(calls, want) {
			t.Errorf("called for %q", calls)
		}
		if l.Dropped() != 0 {
			t.Errorf("%d dropped", l.Dropped())
		}
	})
}

func TestMessageThatIsNotHandledInTimeIsDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t, redistest.Server(t).Client()) // nobody else publishes there
	l := b.listener(b.rdb, ListenerConfig{BlindAfter: 2 * time.Second})
	entered := make(chan struct{}, 1)
	b.start(l, func(ctx context.Context, h Heard) error {
		m, err := Decode(h.Payload)
		b.must(err)
		switch m.Text {
		case "fails":
			return errors.New("broken")
		case "hangs": // its context ends
			entered <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	b.publish("hangs", "waits behind it")
	<-entered
	if lag := l.Lag(); lag < 0 || lag > patience {
		t.Errorf("lag %s", lag)
	}
	b.until("it lags", func() bool { return l.Lag() > time.Second })
	b.until("it is dropped", func() bool { return l.Dropped() == 2 })
	b.publish("fails")
	b.until("it is dropped", func() bool { return l.Dropped() == 3 })
	b.publish("good")
	b.wantTexts("good")
	b.until("nothing waits", func() bool { return l.Lag() == 0 })
	for _, want := range []string{"messages of the bus were dropped", "broken", "in_all=3"} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("no %q in\n%s", want, b.log.String())
		}
	}
}

func TestListenerIsReadyOnlyWhileItHears(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	b := newBench(t, server.Client())
	l := b.listener(server.Client(), ListenerConfig{})
	if l.Ready() {
		t.Error("it is ready before it listens")
	}
	b.start(l, nil)
	for round := range 3 {
		server.Kill()
		b.until("it knows", func() bool { return !l.Ready() })
		server.Restart()
		b.until("it hears again", l.Ready)
		b.publish(fmt.Sprint(round))
		b.wantTexts([]string{"0", "1", "2"}[:round+1]...)
	}
	if l.Dropped() != 0 {
		t.Errorf("%d dropped", l.Dropped())
	}
	for what, want := range map[string]int{"lost the subscription": 3, "subscribed to the bus": 4} { // one warning per outage
		if got := strings.Count(b.log.String(), what); got != want {
			t.Errorf("%q is logged %d times in\n%s", what, got, b.log.String())
		}
	}
}

func TestListenEndsWhileTheHandlerFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, redistest.Mini(t))
	l := b.listener(b.rdb, ListenerConfig{})
	ctx, stop := context.WithCancel(t.Context())
	failed, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		l.Listen(ctx, func(context.Context, Heard) error {
			select {
			case failed <- struct{}{}:
			default:
			}
			return errors.New("broken")
		})
	}()
	b.until("it hears", l.Ready)
	b.publish("1")
	<-failed
	stop()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("it goes on")
	}
	if l.Ready() || l.Dropped() != 0 {
		t.Errorf("ready %v, %d dropped", l.Ready(), l.Dropped())
	}
}

func TestQuietConnectionIsKept(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(t, rdb)
		b.start(b.listener(rdb, ListenerConfig{BlindAfter: 2 * time.Second}), nil)
		time.Sleep(2500 * time.Millisecond) // several pings
		b.publish("1")
		b.wantTexts("1")
		if strings.Contains(b.log.String(), "lost the subscription") {
			t.Errorf("it was replaced:\n%s", b.log.String())
		}
	})
}

// The network swallows what is sent to make a connection: first the one that go-redis
// makes by itself after an error, then those of the listener.
func TestConnectionThatIsNeverMadeIsGivenUp(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	var hole atomic.Bool
	dials := make(chan struct{}, 1000)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr, DialerRetries: 1, Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials <- struct{}{}
		if hole.Load() {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}})
	defer rdb.Close()
	b := newBench(t, server.Client())
	l := b.listener(rdb, ListenerConfig{BlindAfter: 2 * time.Second})
	b.start(l, nil)
	<-dials
	hole.Store(true)
	b.must(b.rdb.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
	for range 3 {
		<-dials
	}
	if l.Ready() {
		t.Error("it is ready")
	}
	hole.Store(false)
	b.until("it hears", l.Ready)
	b.publish("1")
	b.wantTexts("1")
}

// Redis closes every connection that hears the bus.
func TestConnectionsThatRedisClosesAreReplaced(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	b := newBench(t, server.Client())
	l := b.listener(server.Client(), ListenerConfig{})
	b.start(l, nil)
	for range 5 {
		b.must(b.rdb.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err())
		b.until("it hears", func() bool { return b.rdb.PubSubNumPat(t.Context()).Val() == 1 })
	}
	b.until("it hears", l.Ready)
	b.publish("1")
	b.wantTexts("1")
}

func TestSilentConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	wire := redistest.NewWire(t, server.Addr)
	rdb := redis.NewClient(&redis.Options{Addr: wire.Addr, DialerRetries: 1})
	defer rdb.Close()
	b := newBench(t, server.Client())
	l := b.listener(rdb, ListenerConfig{BlindAfter: 3 * time.Second})
	b.start(l, nil)
	wire.Deafen()
	b.until("it notices", func() bool { return !l.Ready() })
	wire.Mend()
	b.until("it hears", l.Ready)
	b.publish("1")
	b.wantTexts("1")
	if !strings.Contains(b.log.String(), errSilent.Error()) {
		t.Errorf("no warning in\n%s", b.log.String())
	}
}

func TestRefusedSubscriptionIsTriedAgain(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	admin := server.Client()
	b := newBench(t, admin)
	b.must(admin.Do(t.Context(), "ACL", "SETUSER", "deaf", "on", ">pw", "+@all", "~*", "resetchannels").Err())
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr, Username: "deaf", Password: "pw"})
	defer rdb.Close()
	l := b.listener(rdb, ListenerConfig{})
	go l.Listen(t.Context(), func(context.Context, Heard) error { return nil })
	b.until("it is refused", func() bool { return strings.Contains(b.log.String(), "NOPERM") })
	if l.Ready() {
		t.Error("it is ready")
	}
	b.must(admin.Do(t.Context(), "ACL", "SETUSER", "deaf", "allchannels").Err())
	b.until("it hears", l.Ready)
}

func TestErrorsSayWhatWasPublished(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
	defer rdb.Close()
	for want, err := range map[string]error{
		"bus: publish on agent:dev-1":      Publish(t.Context(), rdb, "Dev-1", Message{}),
		"bus: publish on agent:broadcast":  PublishBroadcast(t.Context(), rdb, Message{}),
		`bus: publish to "": not the name`: Publish(t.Context(), rdb, "", Message{}),
		"bus: encode: not a message":       Publish(t.Context(), rdb, "dev-1", Message{Text: "\xff"}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := NewListener(nil, ListenerConfig{}); err == nil {
		t.Error("a listener without a client")
	}
	rdb := redis.NewClient(&redis.Options{})
	defer rdb.Close()
	if _, err := NewListener(rdb, ListenerConfig{BlindAfter: time.Millisecond}); err == nil {
		t.Error("blind after a millisecond")
	}
	if l, err := NewListener(rdb, ListenerConfig{}); err != nil || l.cfg.BlindAfter != DefaultBlindAfter || l.Lag() != 0 {
		t.Errorf("%+v, %v", l, err)
	}
}
