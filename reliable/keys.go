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
	// Messages is the hash of all messages that wait or are taken.
	Messages string
	// Takers is the sorted set of the workers by the end of their leases.
	Takers string
	// Dead is the hash of the dead letters.
	Dead string

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
		Pending: prefix + ":pending", Messages: prefix + ":messages", Takers: prefix + ":takers", Dead: prefix + ":dead", prefix: prefix,
	}, nil
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
