// Package dashboards is what operators look at: one page, asynqmon, metrics,
// and health for whoever supervises the process. It reads; it changes nothing.
package dashboards
