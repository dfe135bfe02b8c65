// Package simtest runs the engine in a simulated world: the real engine, sweep
// and relay over the store in memory, with a broker, a registry and a clock that
// one seed drives. Processes are coroutines that give way before each call to
// store, broker or registry; there they are interleaved, killed before or after
// the call took effect, frozen, or told that nothing answers. The same seed is
// the same world, so that a failure can be looked at step by step.
//
// What goes wrong (weather.go): a process dies before or after a call took
// effect, a reply is lost, or several in a row, nobody answers or nothing can be
// written for a while, the store or the merge leases go back to what they were a
// second ago, a record cannot be read, a process stands still or is drained, an
// agent takes no work, the broker hands a task out twice, an operator deletes,
// archives, reruns and pauses, a person interferes and sends requests twice. In
// some worlds (kind.go) nothing goes wrong and nobody sweeps, or the scan is
// missing, so that a slow way of moving on does not hide that a fast one is gone.
//
// What is held to it: each change keeps what is true at every time (check.go,
// reach.go), the record and what a run is told are what agents and persons made
// of it (want.go), nothing that could move stands still for longer than promised
// (pace.go), and in the end nothing is left over (checkAtRest).
//
//	PRPFLOW_SIM_SCHEDULES=100000 go test ./workflow/simtest
//	go test ./workflow/simtest -run NoInterleaving -seed 123
//
//	PRPFLOW_SIM_SURVEY=20000 go test ./workflow/simtest -run Survey -v
//	PRPFLOW_SIM_MUTANTS=sample go test ./workflow/simtest -run MutantsAreFound -v
//
// The second last lists all that breaks, by kind. The last changes the engine,
// one place at a time, and expects that to be found; "all" does so for the whole
// table, in mutants_test.go.
//
// The transcript of a failing seed is kept in PRPFLOW_SIM_TRANSCRIPTS, or in the
// folder for temporary files. A seed means the same world only as long as
// neither engine nor simulation changes: what it has taught goes into a test of
// package workflow.
package simtest
