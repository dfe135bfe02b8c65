package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/prpflow/prpflow/reliable"
)

// all is more than an inbox ever holds.
const all = 1 << 30

// Peek shows what waits for a name, in the order of delivery, then what is delayed;
// limit 0 shows all. It takes nothing.
func (b *Inbox) Peek(ctx context.Context, name string, limit int) ([]Message, error) {
	q, folded, err := b.queue(name)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = all
	}
	waiting, err := q.Peek(ctx, limit)
	if err != nil {
		return nil, wrap(folded, err)
	}
	out := make([]Message, 0, len(waiting))
	for _, m := range waiting {
		out = append(out, message(folded, m, reliable.Waiting))
	}
	delayed, err := q.PeekDelayed(ctx, limit-len(out))
	if err != nil {
		return nil, wrap(folded, err)
	}
	for _, m := range delayed {
		out = append(out, message(folded, m, reliable.Delayed))
	}
	return out, nil
}

// InHand are the messages that somebody has in hand, by worker.
func (b *Inbox) InHand(ctx context.Context, name string) (map[string][]Message, error) {
	q, folded, err := b.queue(name)
	if err != nil {
		return nil, err
	}
	hands, err := q.InHand(ctx)
	if err != nil {
		return nil, wrap(folded, err)
	}
	shown := map[string][]Message{}
	for worker, messages := range hands {
		for _, m := range messages {
			shown[worker] = append(shown[worker], message(folded, m, reliable.Taken))
		}
	}
	return shown, nil
}

// Names are those that have an inbox, in their order.
func (b *Inbox) Names(ctx context.Context) ([]string, error) {
	names, err := b.rdb.SMembers(ctx, namesKey).Result()
	if err != nil {
		return nil, fmt.Errorf("inboxes: %w", err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { _, err := Name(name); return err != nil })
	slices.Sort(names)
	return names, nil
}

// each does something to every inbox. One that is damaged keeps it from no other.
func (b *Inbox) each(ctx context.Context, do func(name string, q *reliable.Queue) error) error {
	names, err := b.Names(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		q, _, err := b.queue(name)
		if err == nil {
			err = do(name, q)
		}
		if err != nil {
			errs = append(errs, wrap(name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// Overview is what an inbox holds.
type Overview struct {
	Name  string
	Depth reliable.Depth
	Books reliable.Books
}

// Overviews counts what is in each inbox that ever had a message.
func (b *Inbox) Overviews(ctx context.Context) ([]Overview, error) {
	var list []Overview
	err := b.each(ctx, func(name string, q *reliable.Queue) error {
		d, books, err := q.Audit(ctx)
		if err == nil {
			list = append(list, Overview{Name: name, Depth: d, Books: books})
		}
		return err
	})
	return list, err
}

// Dead lists the messages of all inboxes that were given up, the oldest first.
func (b *Inbox) Dead(ctx context.Context) ([]Dead, error) {
	var list []Dead
	err := b.each(ctx, func(name string, q *reliable.Queue) error {
		letters, err := q.Dead(ctx)
		for _, l := range letters {
			list = append(list, dead(name, l))
		}
		return err
	})
	slices.SortStableFunc(list, func(x, y Dead) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.ID, y.ID)) })
	return list, err
}

// Replay puts a dead letter back into its inbox, Drop throws it away. Both answer
// reliable.ErrNoLetter where there is none of that id.
func (b *Inbox) Replay(ctx context.Context, name, id string) error {
	return b.settle(name, func(q *reliable.Queue) (int, error) { return q.Replay(ctx, id) })
}

// ReplayAll puts back all dead letters of an inbox, and answers how many.
func (b *Inbox) ReplayAll(ctx context.Context, name string) (int, error) {
	q, folded, err := b.queue(name)
	if err != nil {
		return 0, err
	}
	n, err := q.Replay(ctx)
	if err != nil {
		return n, wrap(folded, err)
	}
	return n, nil
}

// Drop throws a dead letter away.
func (b *Inbox) Drop(ctx context.Context, name, id string) error {
	return b.settle(name, func(q *reliable.Queue) (int, error) { return q.Drop(ctx, id) })
}

func (b *Inbox) settle(name string, do func(q *reliable.Queue) (int, error)) error {
	q, folded, err := b.queue(name)
	if err == nil {
		_, err = do(q)
	}
	if err != nil {
		return wrap(folded, err)
	}
	return nil
}

// Pause stops handing out the messages of an inbox, Resume goes on.
func (b *Inbox) Pause(ctx context.Context, name string) error {
	q, _, err := b.queue(name)
	if err != nil {
		return err
	}
	return q.Pause(ctx)
}

// Resume undoes Pause.
func (b *Inbox) Resume(ctx context.Context, name string) error {
	q, _, err := b.queue(name)
	if err != nil {
		return err
	}
	return q.Resume(ctx)
}

// Purge throws away what waits in an inbox, and answers how many messages.
func (b *Inbox) Purge(ctx context.Context, name string) (int, error) {
	q, _, err := b.queue(name)
	if err != nil {
		return 0, err
	}
	return q.Purge(ctx)
}

// Receipt says where a message is.
type Receipt struct {
	ID    string         `json:"id"`
	Inbox string         `json:"inbox"`
	State reliable.Place `json:"state"`
}

// Find says where the message of an id is: reliable.Unknown where no inbox knows it,
// or no longer.
func (b *Inbox) Find(ctx context.Context, id string) (Receipt, error) {
	r := Receipt{ID: id, State: reliable.Unknown}
	err := b.each(ctx, func(name string, q *reliable.Queue) error {
		place, err := q.Find(ctx, id)
		// Done is the weakest word: the same id may be in another inbox.
		if place != reliable.Unknown && (r.State == reliable.Unknown || r.State == reliable.Done) {
			r.Inbox, r.State = name, place
		}
		return err
	})
	return r, err
}

// Tend does for every inbox what no worker does by itself, and tells senders what
// became of messages that were given up. Call it every second or two.
func (b *Inbox) Tend(ctx context.Context) error {
	return b.each(ctx, func(name string, q *reliable.Queue) error {
		if err := q.Tend(ctx); err != nil {
			return err
		}
		return b.bounce(ctx, name, q)
	})
}
