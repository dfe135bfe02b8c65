// Package redisstore keeps the engine's store in Redis: one Lua script applies
// a whole change or nothing of it, guarded by the record's version and state.
//
// # Layout
//
// Everything of a PRP lies under the hash tag of its partition {p<n>}, so that
// one script can write record, history, outbox and deadline together on a
// cluster; n = fnv32a(id) mod the partitions that prpflow:meta names. keys.go
// builds every key.
//
//	{p<n>}:prp:<id>              hash    v version, s state, a and c times in µs, d the record as JSON,
//	                                     t<version> token and time of the last sixteen changes
//	{p<n>}:history:<id>          list    "<µs> <entry as JSON>", the oldest first
//	{p<n>}:logs:<id>             hash    run -> RunLog as JSON
//	{p<n>}:dependants:<id>       zset    who waits for it, all of one score
//	{p<n>}:request:<id>:<rid>    string  the event that a request id was used for, for 24 h
//	{p<n>}:held:<incarnation>    set     PRPs whose jobs a process holds
//	{p<n>}:index                 set     all PRPs
//	{p<n>}:due                   zset    PRPs by their next look in ms
//	{p<n>}:states, :events       hash    counters
//	{p<n>}:dead, :dead:times     hash    dead letters as JSON; zset: when they were buried, in ms, for 30 days
//	{p<n>}:outbox:…                      a queue of package reliable
//	prpflow:lease:<name>         zset    the owner of a merge lease, then who waits
//	prpflow:document:<sha>       string  likewise prpflow:lifecycle:<hash>
//	prpflow:meta                 hash    schema, store_id, partitions, lifecycle
//	prpflow:sweeper              string  the one sweeper, as long as it leads
package redisstore
