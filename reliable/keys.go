package reliable

import (
	"errors"
	"fmt"
	"strings"
)

// Keys names everything that a queue keeps in Redis.
type Keys struct {
	// Pending is the list of what waits, its head at the right.
	Pending string
	// Messages is the hash of the envelopes of all messages, the dead letters' too.
	Messages string
	// Takers is the sorted set of the workers by the end of their leases.
	Takers string
	// Delayed is the sorted set of the messages that are not due yet.
	Delayed string
	// Tries is the hash of what is known of a message beyond its envelope.
	Tries string
	// Dead is the hash of the dead letters, Died the sorted set by their time.
	Dead, Died string
	// Expires is the sorted set of the ends of messages that live for a time.
	Expires string
	// Gone is the set of messages that have left and still have an element in a list.
	Gone string
	// Books is the hash of the numbers that must add up.
	Books string
	// Paused exists while the queue is paused.
	Paused string
	// Receipts is the sorted set of the messages that were acknowledged last.
	Receipts string

	prefix string
}

// KeysFor names the keys under a prefix, which must hold the hash tag that keeps
// them together on a cluster: {q:mail}, {p3}:outbox.
func KeysFor(prefix string) (Keys, error) {
	_, after, open := strings.Cut(prefix, "{")
	tag, _, closed := strings.Cut(after, "}")
	if !open || !closed || tag == "" {
		return Keys{}, fmt.Errorf("reliable: the prefix %q must hold a hash tag such as {q:mail}", prefix)
	}
	return Keys{
		Pending: prefix + ":pending", Messages: prefix + ":messages", Takers: prefix + ":takers",
		Delayed: prefix + ":delayed", Tries: prefix + ":tries", Dead: prefix + ":dead", Died: prefix + ":died",
		Expires: prefix + ":expires", Gone: prefix + ":gone", Books: prefix + ":books", Paused: prefix + ":paused",
		Receipts: prefix + ":receipts", prefix: prefix,
	}, nil
}

// all are the keys that every script is given first, in the order of lua/with/queue.lua.
func (k Keys) all(taken, hand string) []string {
	return []string{
		k.Pending, k.Messages, k.Takers, k.Delayed, k.Tries, k.Dead, k.Died, k.Expires, k.Gone, k.Books, k.Paused, k.Receipts, taken, hand,
	}
}

// Taken is the list of what a worker took and may not have received.
func (k Keys) Taken(worker string) (string, error) {
	if err := k.check("worker", worker); err != nil {
		return "", err
	}
	return k.prefix + ":taken:" + worker, nil
}

// Hand is the sorted set of what a worker has received.
func (k Keys) Hand(worker string) (string, error) {
	if err := k.check("worker", worker); err != nil {
		return "", err
	}
	return k.prefix + ":hand:" + worker, nil
}

// Seen is the mark of a message id that was pushed lately.
func (k Keys) Seen(id string) (string, error) {
	if err := k.check("message id", id); err != nil {
		return "", err
	}
	return k.prefix + ":seen:" + id, nil
}

func (k Keys) check(what, part string) error {
	if k.prefix == "" {
		return errors.New("reliable: keys without a prefix: use KeysFor")
	}
	if part == "" {
		return fmt.Errorf("reliable: an empty %s names no key of %s", what, k.prefix)
	}
	return nil
}
