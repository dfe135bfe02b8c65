// Package spool keeps messages on the local disk while Redis is unreachable. A
// producer appends them to a log that is synced before Append returns; any later
// process on the same machine drains it, in order.
//
// A record is removed only after the receiver has accepted it. If a process is
// killed in between, the record is pushed again: the receiver must recognize a
// second record with the same id as a duplicate. Config.Keep is how long it can do
// that; older records are set aside, and only DrainAll pushes them.
//
// # Files
//
// The folder is created by the first Append, and holds:
//
//	log             the records, in the order of Append
//	log.position    how far the log has been drained
//	stale           records that Drain has set aside because they are older than Config.Keep
//	stale.position  how far those have been drained
//	damaged-<time>  what was cut off a damaged log or stale file, for manual recovery
//	lock, drain     empty lock files: one is held while files change, one during a drain
//
// log and stale are text files with a record per line: the CRC-32C of a JSON object
// in eight hex digits, a space, the object, a newline. The first line gives the file
// a random id. A position is valid only for the file with that id, so removing or
// replacing a file also makes its position invalid, in one step.
//
// A line whose checksum does not match ends the file. It is moved to a
// damaged-<time> file together with everything behind it, with a warning.
//
// On systems without flock only one process at a time may use a spool.
package spool
