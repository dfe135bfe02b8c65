// Package plain reads files in folders where somebody else may have put
// something in place of a file.
package plain
