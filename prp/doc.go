// Package prp reads PRPs: markdown documents that tell an agent what to build
// and how the result is judged. Parse takes in what it finds and warns; Lint
// says whether agents can be held to it. The package is pure.
package prp
