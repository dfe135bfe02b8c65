package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/internal/plain"
	"github.com/prpflow/prpflow/internal/redisconn"
)

func (p *program) lifecycleCmd() *cobra.Command {
	return group("lifecycle", "Check, change and draw the lifecycle of PRPs",
		p.lifecycleCheckCmd(), p.lifecycleUseCmd(), p.lifecycleDiagramCmd())
}

// maxLifecycle bounds the file of a lifecycle, in bytes.
const maxLifecycle = 1 << 20

// readLifecycle reads a lifecycle; what is wrong with it is bad input.
func readLifecycle(file string) (*fsm.Lifecycle, error) {
	source, err := plain.Named(file, maxLifecycle)
	if err != nil {
		return nil, usagef("the lifecycle file %s %v", file, err)
	}
	lc, err := fsm.Parse(file, source)
	if err != nil {
		return nil, &coded{errUsage, err.Error()}
	}
	return lc, nil
}

func (p *program) lifecycleCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether a lifecycle can be used, and what is wrong with it",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			lc, err := readLifecycle(args[0])
			if err != nil {
				return err
			}
			p.warn(args[0], lc)
			fmt.Fprintf(p.out, "%s can be used: %d states, %d events\n", args[0], len(lc.States()), len(lc.Events()))
			return nil
		},
	}
}

// warn says what can be used and is probably not meant.
func (p *program) warn(file string, lc *fsm.Lifecycle) {
	for _, w := range lc.Warnings() {
		fmt.Fprintf(p.err, "%s:%d: warning: %s\n", file, w.Line, w.Text)
	}
}

func (p *program) lifecycleUseCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "use FILE",
		Short: "Make a lifecycle that of all PRPs to come; those that are there keep theirs",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lc, err := readLifecycle(args[0]) // before Redis is asked for
			if err != nil {
				return err
			}
			p.warn(args[0], lc)
			d, err := p.desk(cmd)
			if err != nil {
				return err
			}
			defer d.close()
			if err := d.store.PutLifecycle(cmd.Context(), lc.Hash(), lc.Source()); err != nil {
				return err
			}
			if err := d.store.UseLifecycle(cmd.Context(), lc.Hash()); err != nil {
				return err
			}
			fmt.Fprintf(p.out, "%s (%.12s) is the lifecycle of PRPs from now on\n", args[0], lc.Hash())
			return nil
		},
	}
}

func (p *program) lifecycleDiagramCmd() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "diagram [FILE]",
		Short: "Draw a lifecycle: that of a file, else the active one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "mermaid" && format != "dot" {
				return usagef("--format %s is not known: use mermaid or dot", format)
			}
			lc, err := p.lifecycleToDraw(cmd, args)
			if err != nil {
				return err
			}
			text := lc.Mermaid()
			if format == "dot" {
				text = lc.Dot()
			}
			fmt.Fprint(p.out, text)
			return nil
		},
	}
	c.Flags().StringVar(&format, "format", "mermaid", "mermaid or dot")
	return c
}

func (p *program) lifecycleToDraw(cmd *cobra.Command, args []string) (*fsm.Lifecycle, error) {
	if len(args) == 1 {
		return readLifecycle(args[0])
	}
	d, err := p.open(cmd, redisconn.PingToLook, looked)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.activeLifecycle(cmd.Context())
}
