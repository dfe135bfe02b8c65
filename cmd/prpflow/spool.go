package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/internal/redisconn"
)

func (p *program) spoolCmd() *cobra.Command {
	return group("spool", "Look at the messages that wait on this disk for Redis, and send them", p.spoolListCmd(), p.spoolDrainCmd())
}

// spoolFlag adds --spool-dir to a verb that uses the spool.
func spoolFlag(c *cobra.Command) *cobra.Command {
	c.Flags().String("spool-dir", "", "folder of messages that wait for Redis (default: spool in the state folder)")
	return c
}

// shownRecord is a spooled message as `spool list --json` prints it.
type shownRecord struct {
	ID    string    `json:"id"`
	To    string    `json:"to"`
	At    time.Time `json:"at"`
	Stale bool      `json:"stale"`
	Bytes int       `json:"bytes"`
}

func (p *program) spoolListCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the messages that wait on this disk for Redis",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.config(cmd)
			if err != nil {
				return err
			}
			s, err := openSpool(cfg, p.warner())
			if err != nil {
				return err
			}
			records, err := s.List(cmd.Context())
			if err != nil {
				return err
			}
			shown := make([]shownRecord, 0, len(records))
			rows := make([][]string, 0, len(records))
			for _, r := range records {
				shown = append(shown, shownRecord{ID: r.ID, To: r.Queue, At: r.At.UTC(), Stale: r.Stale, Bytes: len(r.Body)})
				stale := ""
				if r.Stale {
					stale = "too old: spool drain --force"
				}
				rows = append(rows, []string{r.ID, r.Queue, clock(r.At), fmt.Sprint(len(r.Body)), stale})
			}
			if asJSON {
				return p.asJSON(shown)
			}
			if len(rows) == 0 {
				fmt.Fprintln(p.out, "nothing is spooled in", s.Dir())
				return nil
			}
			return p.table("ID TO AT BYTES STALE", rows)
		},
	}
	return jsonFlag(spoolFlag(c), &asJSON)
}

func (p *program) spoolDrainCmd() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "drain",
		Short: "Send the messages that wait on this disk",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			office, err := p.postOffice(cmd)
			if err != nil {
				return err
			}
			defer office.close()
			if office.away != nil {
				return office.away
			}
			n, err := drainSpool(cmd.Context(), office.spool, office.inbox, force)
			if err != nil {
				if redisconn.IsUnavailable(err) {
					return err
				}
				return sendError(err)
			}
			fmt.Fprintf(p.out, "%d sent\n", n)
			if stat, err := office.spool.Stat(cmd.Context()); err == nil && stat.Records > 0 {
				fmt.Fprintf(p.out, "%d are older than the 7 days for which ids are remembered, and may have been sent before: --force sends them\n", stat.Records)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "also send messages that are older than 7 days, at the risk of sending one twice")
	return spoolFlag(c)
}
