// Package e2e tests the program as its users meet it: built once, run as
// processes against a real redis-server of each test's own, with shell scripts
// as agents. It knows the command line, the agents file, the task and result
// files and the HTTP addresses of serve, and nothing of the code behind them.
//
// PRPFLOW_TORTURE=1 makes the rounds of kills and the outages as long as they
// are in production; PRPFLOW_TORTURE_MINUTES repeats the rounds for so long.
package e2e
