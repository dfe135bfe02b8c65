// Package simtest runs the engine in a simulated world: the real workflow.Engine
// and relay over the store in memory, with a broker, a registry and a clock that
// one seed drives. Processes are coroutines that give way before each call to
// store, broker or registry; there they are interleaved, killed before or after
// the call took effect, frozen, or told that nothing answers. The same seed is
// the same world, so that a failure can be looked at step by step.
package simtest
