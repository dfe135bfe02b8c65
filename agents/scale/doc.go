// Package scale says how many agents of a role the work that waits calls for: from
// how much there is, and from how long a run takes, which it measures.
package scale
