// Command prpflow carries PRPs through a team of agents. Each verb has a file
// of its own; node.go joins the packages into a process.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], world{os.Stdin, os.Stdout, os.Stderr, os.Environ()}))
}

// world is what the program has around it.
type world struct {
	in       io.Reader
	out, err io.Writer
	env      []string
}
