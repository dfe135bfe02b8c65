// Package archtest holds the repository to its plan: who may import whom, one
// package comment per package, files of one idea, scripts that say what they
// do, and no path of anybody's machine. It has tests only.
package archtest
