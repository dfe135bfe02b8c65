// Package redisstore keeps the engine's store in Redis: one Lua script applies
// a whole change or nothing of it, guarded by the record's version and state.
//
// Everything of a PRP lies under the hash tag of its partition, so that one
// script can write record, history, outbox and deadline together on a cluster.
package redisstore
