package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// program is one call of the program.
type program struct {
	world
	raw        io.Writer // standard output as it is: for JSON, and for what is no text
	screen     *screen   // of standard output
	complaints *screen   // of standard error
	running    bool      // the arguments were accepted; what fails from here on is no misuse
}

// run is the whole program; it gives the exit code.
func run(ctx context.Context, args []string, w world) int {
	p := &program{world: w, screen: &screen{to: w.out}, complaints: &screen{to: w.err}}
	p.raw, p.out, p.err = p.screen.raw(), p.screen, p.complaints
	root := p.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if failed := p.screen.failed; failed != nil && (err == nil || errors.Is(err, failed)) {
		err, p.running = fmt.Errorf("standard output cannot be written: %w", rootCause(failed)), true
	}
	if err == nil {
		return exitOK
	}
	if !p.running {
		err = usagef("%v; `%s --help` says how it is used", err, cmd.CommandPath())
	}
	return p.report(err)
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "prpflow",
		Short: "Carry PRPs from a file to merged work through a team of agents",
		Long: "prpflow carries PRPs (Product Requirement Prompts, markdown) from a file to merged work\n" +
			"through a team of agents. Try it: prpflow demo",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			p.running = true
			return emptiness(cmd, args)
		},
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.PersistentFlags().String("redis", "", "address of the store, as redis://HOST:PORT or unix:///PATH (default: .prpflow/redis.url here or in a parent up to your home folder, else redis://127.0.0.1:6379)")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run:"},
		&cobra.Group{ID: "work", Title: "Submit and steer PRPs:"},
		&cobra.Group{ID: "look", Title: "Look:"},
		&cobra.Group{ID: "talk", Title: "Messages:"},
		&cobra.Group{ID: "operate", Title: "Operate:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("run", p.demoCmd(), p.serveCmd(), p.agentCmd())
	add("work", p.submitCmd(), p.lintCmd(), p.triggerCmd(), p.approveCmd(), p.rejectCmd(), p.answerCmd(),
		p.shortCmd("retry", "Start a failed PRP again; its dead letters are removed"),
		p.shortCmd("cancel", "End a PRP at once; its runs are stopped"),
		p.shortCmd("pause", "Hand out none of a PRP's work until it is resumed; a run in progress may finish"),
		p.shortCmd("resume", "Undo pause"),
		p.shortCmd("undepend", "Let a PRP go without the dependencies that it waits for"))
	add("look", p.listCmd(), p.showCmd(), p.historyCmd(), p.watchCmd(), p.logsCmd(), p.agentsCmd())
	add("talk", p.sendCmd(), p.inboxCmd(), p.broadcastCmd(), p.spoolCmd())
	add("operate", p.queueCmd(), p.dlqCmd(), p.modeCmd(), p.exportCmd(), p.lifecycleCmd(), p.doctorCmd(), p.configCmd(), p.versionCmd())
	strictHelp(root)
	return root
}

// emptiness refuses what was given without a value, most often out of a shell variable
// that is not set. Only a message may be empty.
func emptiness(cmd *cobra.Command, args []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if blank(f.Value) && err == nil {
			err = usagef("--%s was given without a value", f.Name)
		}
	})
	for i, arg := range args {
		if err == nil && strings.TrimSpace(arg) == "" && !(cmd.Name() == "send" && i == 1) && cmd.Name() != "broadcast" {
			err = usagef("argument %d of `%s` is empty; `%s --help` says what it is", i+1, cmd.CommandPath(), cmd.CommandPath())
		}
	}
	return err
}

// blank says that a flag has no value, or that one of its values is none.
func blank(v pflag.Value) bool {
	values := []string{v.String()}
	switch many, ok := v.(pflag.SliceValue); {
	case ok:
		values = many.GetSlice()
	case v.Type() != "string":
		return false
	}
	return len(values) == 0 || slices.ContainsFunc(values, func(text string) bool { return strings.TrimSpace(text) == "" })
}

// strictHelp refuses help and completion of what there is not, which the library
// answers with the help of what is above it, and exit 0.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Args, c.RunE = cobra.NoArgs, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return fmt.Errorf("there is no command `prpflow %s`", strings.Join(args, " "))
				}
				return nil
			}
		}
	}
}

// group is a command that only has others below it.
func group(use, short string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(below...)
	return c
}
