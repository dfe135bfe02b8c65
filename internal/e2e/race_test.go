//go:build race

package e2e

// raced: tests with the race detector build the program with it too.
const raced = true
