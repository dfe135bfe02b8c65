// Package inbox keeps messages for agents and people until somebody takes them: a
// queue of package reliable for each name. What is sent is also published on the bus
// for whoever listens there now, and what old clients publish there lands in the
// inbox, once, however many processes hear it.
package inbox
