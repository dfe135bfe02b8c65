package main

import (
	"github.com/spf13/cobra"
)

func (p *program) configCmd() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "config",
		Short: "Print each setting and where it came from",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.config(cmd)
			if err != nil {
				return err
			}
			values := cfg.Values()
			if asJSON {
				return p.asJSON(values)
			}
			rows := make([][]string, len(values))
			for i, v := range values {
				rows[i] = []string{v.Key, v.Value, v.Source}
			}
			return p.table("KEY VALUE SOURCE", rows)
		},
	}
	return jsonFlag(c, &asJSON)
}
