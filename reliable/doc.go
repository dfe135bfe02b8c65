// Package reliable is a message queue on Redis lists that loses nothing: what a
// worker takes lies in a list of its own until it acknowledges it, and comes back
// to the head of the queue when the worker dies.
//
// Delivery is at least once and in the order of arrival. A lease is data, a
// deadline by Redis' own clock in a sorted set, never a time to live on the work:
// a worker that goes silent loses its claim on its messages, and no message is
// ever lost to a clock. A worker that works longer than Config.Lease calls Extend
// meanwhile; any process may call Reap.
//
// # Layout
//
// All keys of a queue share one hash tag, so that each change is one script, on a
// cluster too. Under the prefix, {q:<name>} by default:
//
//	<prefix>:pending         list    waiting: in at the left, out at the right, the head
//	<prefix>:taken:<worker>  list    what that worker has in hand, the oldest at the right
//	<prefix>:takers          zset    worker -> end of its lease, ms since 1970 by Redis' TIME
//	<prefix>:seen:<id>       string  ids pushed lately
//	<prefix>:dead            hash    id -> DeadMessage as JSON
//
// The elements of the lists are the envelopes that Encode writes. A script of
// another package may push one into pending, or into a worker's list where it
// also sets the worker's deadline in takers: without that nobody would look there.
// Such an element is that script's caller's to handle. Receive leaves it alone but
// for the seconds after a lost answer, when it cannot tell it from what was lost,
// and may hand it out as well.
package reliable
