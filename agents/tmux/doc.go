// Package tmux is a doorbell: it types one line into a tmux pane and presses
// Enter. The line should name a file that describes the work; the answer comes in a
// file as well, never from the screen.
//
// It types into exactly the named pane or into none, while tmux itself would accept
// any window whose name begins with the given one. It returns one of three verdicts,
// and never types a line a second time by itself.
package tmux
