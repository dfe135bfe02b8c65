// Package sweep watches: it publishes the work of dead processes again, looks
// at what is overdue or odd, and keeps work with agents that can do it.
//
// A pure Detector judges who lives. Everything else is done by duties that run
// beside each other. Each is a plan made of a snapshot, carried out with a bound
// of items and time and an error per item: no record that cannot be read, no slow
// store and no number of waiting PRPs keeps another duty from its work.
package sweep
