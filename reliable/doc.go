// Package reliable is a message queue on Redis lists that loses nothing: what a
// worker takes is kept under its name until it acknowledges it, and comes back
// to the head of the queue when the worker dies.
//
//	q, err := reliable.New(rdb, reliable.Config{Name: "mail"})
//	if err != nil {
//		return err
//	}
//	if _, err := q.Push(ctx, reliable.Message{ID: "welcome-42", Body: body}); err != nil {
//		return err
//	}
//	return q.Consume(ctx, func(ctx context.Context, m reliable.Message) error {
//		return send(ctx, m.Body) // nil acknowledges, an error delivers it again
//	}, reliable.ConsumeConfig{Concurrency: 10})
//
// Delivery is at least once and in the order of arrival. A lease is data, a
// deadline by Redis' own clock in a sorted set, never a time to live on the work:
// a worker that goes silent loses its claim on its messages, and no message is
// ever lost to a clock. Consume renews the lease while handlers run, and looks after
// the queue: who uses Receive calls Extend within Config.Lease, and Tend now and then.
//
// A delivery that fails, by Nack or by the death of its worker, is one attempt. The
// message comes back after a backoff, and after its last attempt it is a dead letter,
// with reason, worker and history, until somebody calls Replay or Drop or its
// retention is over. What is no message at all becomes a dead letter too and stops
// nobody.
//
// Every call is safe to be sent twice, as Redis clients do after a lost answer. A
// message is in one place at every instant, and Books says whether any is missing.
// The cost of a call does not depend on how many messages wait or are in hand.
//
// # Layout
//
// All keys of a queue share one hash tag, so that each change is one script, on a
// cluster too. Under the prefix, {q:<name>} by default:
//
//	<prefix>:pending         list    waiting: in at the left, out at the right, the head
//	<prefix>:messages        hash    key -> envelope, of all messages, dead letters too
//	<prefix>:tries           hash    key -> deliveries that failed and the message's own policy, as JSON
//	<prefix>:taken:<worker>  list    what that worker took and may not have received
//	<prefix>:hand:<worker>   zset    key -> place: what it has received, the oldest first
//	<prefix>:takers          zset    worker -> end of its lease, ms since 1970 by Redis' TIME
//	<prefix>:delayed         zset    key -> when it is due
//	<prefix>:expires         zset    key -> when it becomes a dead letter, unless it is in a hand
//	<prefix>:gone            set     keys that have left and still have an element in a list
//	<prefix>:dead            hash    key -> why, by whose hands and when it died, as JSON
//	<prefix>:died            zset    key -> when it died
//	<prefix>:books           hash    pushed, done, dropped
//	<prefix>:receipts        zset    key -> when it was acknowledged; the last Config.Receipts
//	<prefix>:paused          string  exists while nothing is handed out
//	<prefix>:seen:<id>       string  ids pushed lately
//
// The key of a message is its id, unless an older message of that id is still in
// the queue. The hash holds the envelopes that Encode writes; an envelope never changes.
// The elements of the lists are short: "# <key>" in pending, and "#<name> <key>" in
// taken, where name is that of the call that handed it out. So an acknowledgement, or a
// message of which only the id is known, costs the same however much waits. A shelf of
// Park is a hand whose worker is called shelf:<name> and whose lease never ends.
//
// A message stays in taken until the worker says, with its next call, that it has
// received the answer of the call that handed it out. One whose answer was lost is
// handed out again by the next Receive, or goes home with the next Extend, however long
// the network was away meanwhile.
//
// Older versions wrote whole envelopes, which begin with "{", into the lists. They
// are read wherever they are waiting; Receive converts them to the present form.
//
// A script of another package may push: it sets a message in the hash, and adds it
// to pending, or to a worker's hand behind what is there, where it also sets the
// worker's deadline in takers: otherwise nobody would look there. It must not
// use an id that is in the hash, and the books of such a queue do not add up.
package reliable
