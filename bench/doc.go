// Command bench runs the message queue, its peers and the raw commands side by side, in
// one run on one server that it starts, and prints what it measured:
//
//	go run ./bench            (from the project's root: cd bench && go run .)
//
// Ratios travel to other machines, absolute figures do not.
package main
