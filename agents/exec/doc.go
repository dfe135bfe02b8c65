// Package exec makes an agent of any command. The command is told by
// environment, task file and prompt, and answers with a result file or, where
// it writes none, with its exit code.
//
// What it starts, it ends: a run is over when the command's whole process
// group is gone, also when the command left children behind, when the run is
// cut, and when the runtime itself is killed.
package exec
