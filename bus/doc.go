// Package bus speaks the pub/sub format of the system that prpflow replaces, so
// that its clients and ours hear each other: JSON objects on the Redis channels
// agent:<name> and agent:broadcast.
//
// Pub/sub delivers at most once, and only to those who listen at the moment. A
// Listener makes the best of it: nothing that has reached this process is lost
// while its handler fails for a short time, and nothing is handled so late that
// the receiver may have forgotten that it knows the message from another listener.
package bus
