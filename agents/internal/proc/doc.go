// Package proc reads what the kernel tells of processes under /proc. On a
// system without it nothing is known: calls answer an error or "".
package proc
