package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/prpflow/prpflow/prp"
	"github.com/prpflow/prpflow/workflow"
)

// specs remembers the parsed parts of the documents that were handed out last.
type specs struct {
	mu   sync.Mutex
	seen map[string]spec
}

type spec struct {
	text            []byte
	criteria, gates json.RawMessage
}

const specsKept = 64

func (s *specs) get(ctx context.Context, store workflow.Documents, rec workflow.Record) ([]byte, spec, error) {
	s.mu.Lock()
	sp, ok := s.seen[rec.Document]
	s.mu.Unlock()
	if ok {
		return sp.text, sp, nil
	}
	text, err := store.Document(ctx, rec.Document)
	if err != nil {
		return nil, sp, fmt.Errorf("%s: its document cannot be read: %w", rec.ID, err)
	}
	doc, err := prp.Parse(rec.Source, text)
	if err != nil {
		return nil, sp, fmt.Errorf("%s: its document cannot be read: %w", rec.ID, err)
	}
	sp = spec{text: text}
	if sp.criteria, err = array(doc.Criteria); err != nil {
		return nil, sp, err
	}
	if sp.gates, err = array(doc.Gates); err != nil {
		return nil, sp, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || len(s.seen) >= specsKept {
		s.seen = map[string]spec{}
	}
	s.seen[rec.Document] = sp
	return text, sp, nil
}

// array writes a slice as a JSON array, also when it is nil.
func array[T any](v []T) (json.RawMessage, error) {
	if v == nil {
		v = []T{}
	}
	return json.Marshal(v)
}
