// Package inbox is where messages to agents and people wait: a reliable queue
// for each name, inbox:<name>. Looking takes nothing.
package inbox
