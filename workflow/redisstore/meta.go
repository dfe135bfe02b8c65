package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/prpflow/prpflow/workflow"
)

// PutDocument keeps a document under its hash.
func (s *Store) PutDocument(ctx context.Context, sha string, text []byte) error {
	key, err := documentKey(sha)
	return s.put(ctx, "document", sha, key, err, text)
}

// Document reads a document by its hash.
func (s *Store) Document(ctx context.Context, sha string) ([]byte, error) {
	key, err := documentKey(sha)
	return s.get(ctx, "document", sha, key, err)
}

// PutLifecycle keeps a lifecycle under its hash.
func (s *Store) PutLifecycle(ctx context.Context, hash string, source []byte) error {
	key, err := lifecycleKey(hash)
	return s.put(ctx, "lifecycle", hash, key, err, source)
}

// Lifecycle reads a lifecycle by its hash.
func (s *Store) Lifecycle(ctx context.Context, hash string) ([]byte, error) {
	key, err := lifecycleKey(hash)
	return s.get(ctx, "lifecycle", hash, key, err)
}

func (s *Store) put(ctx context.Context, what, name, key string, refused error, text []byte) error {
	if refused != nil {
		return failure(what, name, refused)
	}
	return failure(what, name, s.rdb.SetNX(ctx, key, text, 0).Err())
}

func (s *Store) get(ctx context.Context, what, name, key string, refused error) ([]byte, error) {
	if refused != nil {
		return nil, failure(what, name, refused)
	}
	b, err := s.rdb.Get(ctx, key).Bytes()
	return b, failure(what, name, err)
}

// UseLifecycle changes the active lifecycle.
func (s *Store) UseLifecycle(ctx context.Context, hash string) error {
	code, err := s.scripts.use.Run(ctx, s.rdb, []string{metaKey}, hash).Int()
	if err == nil && code == -1 {
		err = fmt.Errorf("%w: the store is empty", workflow.ErrNotFound)
	}
	return failure("use lifecycle", hash, err)
}

// Meta reads the store's identity, writing it first on an empty store. A store
// that this program cannot work with is refused in a sentence.
func (s *Store) Meta(ctx context.Context, ifEmpty workflow.Meta) (workflow.Meta, error) {
	if ifEmpty.Partitions == 0 {
		ifEmpty.Partitions = s.cfg.Partitions
	}
	if ifEmpty.Schema == 0 {
		ifEmpty.Schema = workflow.SchemaVersion
	}
	if err := s.fits(ifEmpty); err != nil {
		return workflow.Meta{}, err
	}
	f, err := s.scripts.meta.Run(ctx, s.rdb, []string{metaKey}, ifEmpty.Schema, ifEmpty.StoreID, ifEmpty.Partitions, ifEmpty.Lifecycle).Slice()
	if err != nil {
		return workflow.Meta{}, failure("meta", "", err)
	}
	m, err := readMeta(f)
	if err != nil {
		return m, err
	}
	return m, s.fits(m)
}

// Identity reads the store's identity and writes nothing. workflow.ErrNotFound on an empty
// store.
func (s *Store) Identity(ctx context.Context) (workflow.Meta, error) {
	f, err := s.rdb.HMGet(ctx, metaKey, "schema", "store_id", "partitions", "lifecycle").Result()
	if err != nil {
		return workflow.Meta{}, failure("meta", "", err)
	}
	if !slices.ContainsFunc(f, func(v any) bool { return v != nil }) {
		return workflow.Meta{}, failure("meta", "", workflow.ErrNotFound)
	}
	m, err := readMeta(f)
	if err != nil {
		return m, err
	}
	return m, s.fits(m)
}

func readMeta(row []any) (workflow.Meta, error) {
	if len(row) != 4 {
		return workflow.Meta{}, fmt.Errorf("redisstore: %s is damaged: %v", metaKey, row)
	}
	text := make([]string, len(row))
	for i, v := range row {
		text[i], _ = v.(string)
	}
	schema, serr := strconv.Atoi(text[0])
	partitions, perr := strconv.Atoi(text[2])
	if err := errors.Join(serr, perr); err != nil {
		return workflow.Meta{}, fmt.Errorf("redisstore: %s is damaged: %w", metaKey, err)
	}
	return workflow.Meta{Schema: schema, StoreID: text[1], Partitions: partitions, Lifecycle: text[3]}, nil
}

// fits says why this program cannot work with a store.
func (s *Store) fits(m workflow.Meta) error {
	if m.Schema > workflow.SchemaVersion {
		return workflow.Newer("redisstore: the store", m.Schema)
	}
	if m.Partitions != s.cfg.Partitions {
		return fmt.Errorf("redisstore: the store has %d partitions, this program was told %d: they cannot be changed", m.Partitions, s.cfg.Partitions)
	}
	return nil
}
