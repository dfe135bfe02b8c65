package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/dashboards"
	"github.com/prpflow/prpflow/internal/access"
	"github.com/prpflow/prpflow/internal/config"
	"github.com/prpflow/prpflow/internal/redisconn"
)

// pages is the HTTP server of a node.
type pages struct {
	server  *http.Server
	handler *dashboards.Handler
	done    chan struct{}
}

// pages serves what people look at.
func (n *node) pages(cfg config.Config, listener net.Listener) (*pages, error) {
	handler, err := dashboards.New(dashboards.Config{
		Redis: n.rdb, Dial: func() (redis.UniversalClient, error) { return n.dial(0) }, PRPs: n.engine, Counters: n.store, Queues: n.broker, Agents: n.registry, Inboxes: n.inbox, Post: n.patrol.post,
		Ready: n.ready, AsynqmonWrite: cfg.AsynqmonWrite,
		Access: access.Config{Listen: listener.Addr().String(), Hosts: append(cfg.Hosts, cfg.Listen), Tokens: cfg.Tokens, Local: config.Loopback(cfg.Listen)},
	})
	if err != nil {
		return nil, err
	}
	s := &pages{
		server:  &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, MaxHeaderBytes: 64 << 10, IdleTimeout: 2 * time.Minute},
		handler: handler, done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(listener) // end ends it
	}()
	return s, nil
}

// ready says what keeps the process from carrying PRPs.
func (n *node) ready(ctx context.Context) error {
	if err := n.registry.Probe(ctx, n.self); err != nil { // a ping says nothing of writes
		if refusal, ok := redisconn.Refused(err); ok {
			return errors.New(refusal.Sentence)
		}
		return fmt.Errorf("the store takes no writes: %w", err)
	}
	if !n.relay.Alive() {
		return errors.New("the relay does not run")
	}
	if !n.bridge.Ready() && !n.bridge.Denied() { // without the right, that is how it stays
		return errors.New("the bridge does not hear the bus")
	}
	return nil
}

func (s *pages) end() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	<-s.done
	_ = s.handler.Close()
}
