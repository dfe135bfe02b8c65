// Package relay sends what the store's outbox holds: tasks to the broker,
// messages to inboxes, and what the engine tells itself. Everything is sent at
// least once, and sending twice changes nothing.
package relay
