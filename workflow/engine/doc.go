// Package engine carries PRPs through their lifecycles: it reads a record, has
// package workflow decide, and saves the change; again from the start whenever
// another process was faster.
package engine
