// Package lua loads the scripts that a package embeds, and holds each of them to
// the contract in its own header:
//
//	-- Removes a message from its worker's list.
//	-- KEYS: 2 the worker's list, the set of seen ids
//	-- ARGS: 1+ the ids to remove
//	-- RETURNS: how many were there; -1 ErrFull
//	(checks, which read only)
//	-- WRITES
//	(writes, which refuse nothing)
//
// Redis does not undo: a script that writes and then refuses leaves half a
// change behind. So a line "-- WRITES" parts the checks from the writes, and
// Load refuses a script that writes above it or refuses below it. A script
// without that line only reads.
package lua
