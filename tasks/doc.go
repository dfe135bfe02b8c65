// Package tasks says what a task is: the order that an edge of the lifecycle
// gives to an agent, the result that comes back, and the names of the queues
// between them. It is pure: it knows neither Asynq nor Redis.
package tasks
