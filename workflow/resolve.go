package workflow

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prpflow/prpflow/prp"
)

// resolve writes the dependencies of a batch as the ids of PRPs: a document may
// name another one by its file. What names nobody stays as it is.
func (e *Engine) resolve(ctx context.Context, docs []parsed) error {
	ids := map[string]string{} // of the batch: id or name of the file -> id
	for _, p := range docs {
		base := filepath.Base(p.Source)
		ids[strings.TrimSuffix(base, filepath.Ext(base))] = p.ID
	}
	for _, p := range docs {
		ids[p.ID] = p.ID
	}
	var ask []string
	for _, p := range docs {
		for _, t := range p.tokens {
			if ids[t] == "" {
				ask = append(ask, prp.Names(t)...)
			}
		}
	}
	if len(ask) > 0 {
		slices.Sort(ask)
		ask = slices.Compact(ask)
		known, err := e.Store.LoadMany(ctx, ask)
		if err != nil {
			return err
		}
		for i, id := range ask {
			if known[i].ID != "" && ids[id] == "" {
				ids[id] = id
			}
		}
	}
	for i := range docs {
		docs[i].tokens = resolved(docs[i].tokens, ids)
	}
	return nil
}

func resolved(tokens []string, ids map[string]string) []string {
	out := make([]string, 0, len(tokens))
	for _, t := range tokens {
		for _, name := range prp.Names(t) {
			if ids[name] != "" {
				t = ids[name]
				break
			}
		}
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}
