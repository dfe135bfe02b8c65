// Package redisconn opens connections to Redis: single, TLS, Sentinel, Cluster
// or unix socket, from one URL; and it starts a Redis where there is none, in
// this process (Embedded) or beside it (StartLocal).
package redisconn
