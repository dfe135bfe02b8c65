// Package registry keeps, in Redis, which processes live and which agents they
// have: heartbeats, the holders of agents' names, and the agents that were
// ever there. All of it lies under the tag {reg}; time is that of Redis.
package registry
