// Command prpflow carries PRPs through a team of agents. Each verb has a file
// of its own; node.go joins the packages into a process.
package main

import (
	"context"
	"io"
	"os"
)

func main() {
	env := hideEnvironment(os.Args[1:], os.Environ())
	ctx, interrupts, _ := listenForSignals(context.Background())
	os.Exit(run(ctx, os.Args[1:], world{os.Stdin, os.Stdout, os.Stderr, env, interrupts}))
}

// world is what the program has around it.
type world struct {
	in       io.Reader
	out, err io.Writer
	env      []string
	signals  *interrupts // nil: there are none
}
