// Package redistest starts the servers that a test needs, on free ports of
// 127.0.0.1, and stops them: an in-process miniredis, a real redis-server, and a
// real cluster of three masters.
//
// Servers are shared by all tests of a binary, so tests take fresh names from
// Name and never flush. A package that uses this one says so in its TestMain:
//
//	func TestMain(m *testing.M) { redistest.Main(m) }
//
// Where redis-server is missing a test is skipped, unless the environment
// variable PRPFLOW_TEST_REQUIRE (a comma list of redis, cluster, python) names
// what it needs: then it fails. Command does the same for other commands.
package redistest
