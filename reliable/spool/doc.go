// Package spool keeps messages on the local disk while Redis is unreachable. A
// producer appends them to a log that is synced before Append returns; any later
// process on the same machine drains it, in order.
//
// A record is removed only after the receiver has accepted it, so a process that
// is killed in between pushes it again: the receiver must take a second record
// of the same id for the same message. How long it can do so is Config.Keep;
// older records are set aside, and only DrainAll pushes them.
//
// # Files
//
// The folder is created by the first Append, and holds:
//
//	log             the records, in the order of Append
//	log.position    how far the log has been drained
//	stale           records that Drain has set aside because they are older than Config.Keep
//	stale.position  how far those have been drained
//	damaged-<time>  what was cut off a damaged log or stale, for a person to look at
//	lock, drain     empty files to lock: held while files change, and for all of a drain
//
// log and stale are text, a record a line: the CRC-32C of the JSON object in eight
// hex digits, a space, the object, a newline. The first line names the file by a
// random id. A position is valid only for the file of that id: a log is removed or
// replaced in one step together with its position.
//
// A line whose checksum does not match ends the log. It and all that follows is
// moved to a damaged-<time> file, with a warning.
//
// Without flock (not on Unix) only one process may use a spool at a time.
package spool
