package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bench is one test's folder.
type bench struct {
	*testing.T
	dir string
	log bytes.Buffer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{T: t, dir: filepath.Join(t.TempDir(), "state", "spool")}
}

// open opens the folder as another process would.
func (b *bench) open(cfg Config) *Spool {
	b.Helper()
	cfg.Dir = b.dir
	cfg.Log = slog.New(slog.NewTextHandler(&b.log, nil))
	s, err := Open(cfg)
	b.must(err)
	return s
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// append appends records one by one, whose body tells their id.
func (b *bench) append(s *Spool, ids ...string) {
	b.Helper()
	for _, r := range records(ids...) {
		b.must(s.Append(b.Context(), r))
	}
}

func records(ids ...string) []Record {
	var list []Record
	for _, id := range ids {
		list = append(list, Record{Queue: "dev-1", ID: id, Body: []byte("body of " + id)})
	}
	return list
}

// pushed collects what a drain pushes.
type pushed struct{ ids []string }

func (p *pushed) push(_ context.Context, list []Record) error {
	if len(list) == 0 || len(list) > batchRecords {
		return fmt.Errorf("a batch of %d", len(list))
	}
	for _, r := range list {
		p.ids = append(p.ids, r.ID)
	}
	return nil
}

// drain drains and answers the ids.
func (b *bench) drain(s *Spool) []string {
	b.Helper()
	var p pushed
	n, err := s.Drain(b.Context(), p.push)
	b.must(err)
	if n != len(p.ids) {
		b.Errorf("%d were pushed, Drain says %d", len(p.ids), n)
	}
	return p.ids
}

func (b *bench) drainAll(s *Spool) []string {
	b.Helper()
	var p pushed
	_, err := s.DrainAll(b.Context(), p.push)
	b.must(err)
	return p.ids
}

func (b *bench) want(what string, got []string, want ...string) {
	b.Helper()
	if !slices.Equal(got, want) {
		b.Errorf("%s: %q, want %q", what, got, want)
	}
}

// wantWaiting compares what List says, and that Stat agrees.
func (b *bench) wantWaiting(s *Spool, want ...string) {
	b.Helper()
	list, err := s.List(b.Context())
	b.must(err)
	var ids []string
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	b.want("waiting", ids, want...)
	stat, err := s.Stat(b.Context())
	b.must(err)
	if stat.Records != len(want) || (stat.Bytes > 0) != (len(want) > 0) || stat.Oldest.IsZero() != (len(want) == 0) {
		b.Errorf("%+v of %q", stat, want)
	}
}

// files lists the folder; those with a time in their name by their prefix.
func (b *bench) files() []string {
	b.Helper()
	entries, err := os.ReadDir(b.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		b.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, damagedPrefix) {
			names = append(names, damagedPrefix)
		} else {
			names = append(names, name)
		}
	}
	return names
}

// damaged joins what was cut off.
func (b *bench) damaged() string {
	b.Helper()
	var all []byte
	names, err := filepath.Glob(filepath.Join(b.dir, damagedPrefix+"*"))
	b.must(err)
	for _, name := range names {
		content, err := os.ReadFile(name)
		b.must(err)
		all = append(all, content...)
	}
	return string(all)
}

func (b *bench) read(name string) []byte {
	b.Helper()
	content, err := os.ReadFile(filepath.Join(b.dir, name))
	b.must(err)
	return content
}

func (b *bench) write(name string, content []byte) {
	b.Helper()
	b.must(os.MkdirAll(b.dir, 0o700))
	b.must(os.WriteFile(filepath.Join(b.dir, name), content, 0o600))
}
