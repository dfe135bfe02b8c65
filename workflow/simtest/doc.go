// Package simtest runs the engine in a simulated world: the real workflow.Engine
// and relay over the store in memory, with a broker, a registry and a clock that
// one seed drives. Processes are coroutines that give way before each call to
// store, broker or registry; there they are interleaved, killed before or after
// the call took effect, frozen, or told that nothing answers. The same seed is
// the same world, so that a failure can be looked at step by step.
//
// What goes wrong: a process dies before or after a call took effect, a reply
// is lost, nobody answers for a while, a process stands still or is drained, the
// broker hands a task out twice, an operator deletes, archives, reruns and
// pauses, a person interferes and sends requests twice. What is held to it:
// checkChange and checkReach at every change, checkAtRest at the end.
//
//	PRPFLOW_SIM_SCHEDULES=100000 go test ./workflow/simtest
//	go test ./workflow/simtest -run NoInterleaving -seed 123
//
// The transcript of a failing seed is kept in PRPFLOW_SIM_TRANSCRIPTS, or in the
// folder for temporary files. A seed means the same world only as long as
// neither engine nor simulation changes: what it has taught goes into a test of
// package workflow.
package simtest
