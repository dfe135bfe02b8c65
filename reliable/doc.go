// Package reliable is a message queue on Redis lists that loses nothing: what a
// worker takes is kept under its name until it acknowledges it, and comes back
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
//	<prefix>:messages        hash    key -> message, of all that wait or are taken
//	<prefix>:taken:<worker>  list    what that worker took and may not have received
//	<prefix>:hand:<worker>   zset    key -> place: what it has received, the oldest first
//	<prefix>:takers          zset    worker -> end of its lease, ms since 1970 by Redis' TIME
//	<prefix>:seen:<id>       string  ids pushed lately
//	<prefix>:dead            hash    id -> DeadMessage as JSON
//
// The key of a message is its id, unless an older message of that id is still in
// the queue. The hash holds the envelopes that Encode writes. The elements of the
// lists are short: "# <key>" in pending, and "#<name> <key>" in taken, where name
// is that of the call that handed it out. So an acknowledgement, or a message of
// which only the id is known, costs the same however much waits. A shelf of Park is
// a hand whose worker is called shelf:<name> and whose lease never ends.
//
// A message stays in taken until the worker says, with its next call, that it has
// received this very element. One whose answer was lost is handed out again by the
// next Receive, or goes home with the next Extend, however long the network was
// away meanwhile.
//
// Older versions wrote whole envelopes, which begin with "{", into the lists. They
// are read wherever they are; Receive converts them to the present form. An older
// version cannot read the present form: it takes the elements for damaged messages.
//
// A script of another package may push: it sets a message in the hash, and adds it
// to pending, or to a worker's hand behind what is there, where it also sets the
// worker's deadline in takers: otherwise nobody would look there. It must not
// use an id that is in the hash.
package reliable
