//go:build !faults

package main

import (
	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/workflow"
)

// The seams at which a program that is built with the tag faults dies by itself,
// for the tests that ask what is left then. This one does not.
func seamStore(s workflow.Store) workflow.Store          { return s }
func seamBroker(b workflow.Broker) workflow.Broker       { return b }
func seamRegistry(r workflow.Registry) workflow.Registry { return r }
func seamEngine(e agents.Engine) agents.Engine           { return e }
