// Package agents is what an agent lives in: the agents file, the runtime that
// claims an order, runs it and hands in its result, and the built-in agents.
//
// A Handler does the work; package agents/exec has the one that runs a
// command. The Engine says what is current; the runtime never judges. A run
// lives under the runtime's own context: the broker may lose its lease and
// hand an order out again, the agent goes on undisturbed. A result is saved on
// disk before it is delivered, so that neither Redis nor the runtime can lose
// it by dying.
package agents
