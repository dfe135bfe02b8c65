package reliable

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

func TestKeysRefuseEmptyParts(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "plain", "{}", "{open", "a{}b", "a}b{"} {
		if k, err := KeysFor(prefix); err == nil {
			t.Errorf("prefix %q gave %+v", prefix, k)
		}
	}
	k, err := KeysFor("{p3}:outbox")
	if err != nil {
		t.Fatal(err)
	}
	taken, err1 := k.Taken("host:1:x")
	hand, err2 := k.Hand("host:1:x")
	seen, err3 := k.Seen("m1")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	got := strings.Join([]string{k.Pending, k.Messages, k.Takers, k.Dead, taken, hand, seen}, " ")
	if want := "{p3}:outbox:pending {p3}:outbox:messages {p3}:outbox:takers {p3}:outbox:dead " +
		"{p3}:outbox:taken:host:1:x {p3}:outbox:hand:host:1:x {p3}:outbox:seen:m1"; got != want {
		t.Errorf("keys are %s", got)
	}
	if _, err := k.Taken(""); err == nil {
		t.Error("an empty worker has a list")
	}
	if _, err := k.Hand(""); err == nil {
		t.Error("an empty worker has a hand")
	}
	if _, err := k.Seen(""); err == nil {
		t.Error("an empty id has a mark")
	}
	if _, err := (Keys{}).Seen("m1"); err == nil {
		t.Error("keys without a prefix name something")
	}
}

func TestConfigSaysWhatZeroDoes(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer rdb.Close()
	q, err := New(rdb, Config{Name: "mail"})
	if err != nil {
		t.Fatal(err)
	}
	if q.Keys().Pending != "{q:mail}:pending" || q.cfg.Lease != 6*time.Second || q.cfg.Dedup != 10*time.Minute {
		t.Errorf("defaults are %+v of %s", q.cfg, q.Keys().Pending)
	}
	again, err := New(rdb, Config{Name: "mail"})
	if err != nil {
		t.Fatal(err)
	}
	if q.Worker() == again.Worker() || len(strings.Split(q.Worker(), ":")) != 3 {
		t.Errorf("workers are %s and %s", q.Worker(), again.Worker())
	}
	own, err := New(rdb, Config{Prefix: "{p3}:outbox", Worker: "w"})
	if err != nil {
		t.Fatal(err)
	}
	if own.taken != "{p3}:outbox:taken:w" || own.cfg.Name != "{p3}:outbox" {
		t.Errorf("prefix gave %s, named %s", own.taken, own.cfg.Name)
	}
}

func TestConfigIsRefused(t *testing.T) {
	t.Parallel()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer rdb.Close()
	for why, cfg := range map[string]Config{
		"no name":        {},
		"braces":         {Name: "a}b"},
		"no tag":         {Prefix: "outbox"},
		"negative lease": {Name: "q", Lease: -time.Second},
		"tiny dedup":     {Name: "q", Dedup: time.Microsecond},
	} {
		if _, err := New(rdb, cfg); err == nil {
			t.Errorf("%s: accepted", why)
		}
	}
	if _, err := New(nil, Config{Name: "q"}); err == nil {
		t.Error("no client: accepted")
	}
}
