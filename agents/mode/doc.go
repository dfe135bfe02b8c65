// Package mode is the switch that says how a live agent is told of a message: by
// Redis, by its tmux pane, or by both. In every mode the message is in the agent's
// inbox first, so that turning the switch loses none.
package mode
