// Package fsm is the lifecycle of a PRP: states, events, the edges between
// them, the guards on the edges, and what a state asks of an agent. A lifecycle
// is read from YAML, refused with file and line where it is wrong, and never
// changes afterwards. Which edge an event takes is decided by looplab/fsm.
package fsm
