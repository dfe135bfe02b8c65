package e2e

import "strings"

// badAddresses are addresses of a Redis that are none. None shows its password.
func badAddresses() (rows []bad) {
	for _, a := range []struct{ what, address, says string }{
		{"of a web page", "http://127.0.0.1:6379", "redis://"},
		{"without a scheme", "127.0.0.1:6379", "redis://"},
		{"that is a host", "localhost", "redis://"},
		{"with a scheme in capitals and a typing error", "REDSI://localhost", "redis://"},
		{"with one slash", "redis:/127.0.0.1", "redis://"},
		{"without a host", "redis://", "host"},
		{"with a port and no host", "redis://:6379", "host"},
		{"with port 0", "redis://127.0.0.1:0", "port"},
		{"with port 70000", "redis://127.0.0.1:70000", "port"},
		{"with a word for a port", "redis://127.0.0.1:redis", "port"},
		{"with a negative port", "redis://127.0.0.1:-1", "port"},
		{"with a word for a database", "redis://127.0.0.1:6379/main", "database"},
		{"with a negative database", "redis://127.0.0.1:6379/-1", "database"},
		{"with two hosts", "redis://a,b", "one host"},
		{"with a space", "redis://my host:6379", "host"},
		{"with a line break", "redis://127.0.0.1:6379\nx", "redis"},
		{"with an unknown parameter", "redis://127.0.0.1?timeout=5", "timeout"},
		{"with a parameter that is a word", "redis://127.0.0.1?db=main", "database"},
		{"with a broken parameter", "redis://127.0.0.1?db=%zz", "?"},
		{"with a broken percent in the password", "redis://u:s3cret%zz@127.0.0.1:6379", "%25"},
		{"with a broken percent in the user", "redis://u%:s3cret@127.0.0.1:6379", "%25"},
		{"with an @ in the password and no port", "redis://u:s3cret@more@127.0.0.1:x", "host"},
		{"with a slash in the password", "redis://u:s3c/ret@127.0.0.1:x", "host"},
		{"with a password and another scheme", "http://u:s3cret@127.0.0.1", "redis://"},
		{"with a password and a word for a database", "redis://u:s3cret@127.0.0.1/main", "database"},
		{"with a password in a parameter", "redis://127.0.0.1?password=s3cret", "password"},
		{"of Sentinel without a master", "redis-sentinel://127.0.0.1:26379", "master"},
		{"of Sentinel with a word for a database", "redis-sentinel://127.0.0.1/mymaster/main", "database"},
		{"of Sentinel with an empty host", "redis-sentinel://a,,b/mymaster", "host"},
		{"of a cluster with a database", "redis-cluster://127.0.0.1/3", "database 0"},
		{"of a socket that is no path", "unix://redis.sock", "unix://"},
		{"of a socket with a broken percent", "unix:///run/re%dis.sock", "%25"},
	} {
		rows = append(rows, bad{what: "an address " + a.what, args: []string{"list", "--redis", a.address}, says: a.says, never: "s3c",
			sibling: !strings.Contains(a.address, "s3c")})
	}
	for _, line := range []string{"send dev-1 hello", "submit {w}/PRP-1.md", "serve --listen 127.0.0.1:0", "agent run --config {w}/good.yaml", "inbox dev-1", "spool drain", "config", "export -"} {
		rows = append(rows, bad{what: line + " with an address of a web page", args: with(line, "--redis", "http://u:s3cret@127.0.0.1"), says: "redis://", never: "s3cret"})
	}
	rows = append(rows,
		bad{what: "an address of a web page in the environment", args: on("list"), env: on("PRPFLOW_REDIS=http://127.0.0.1"), says: "PRPFLOW_REDIS"},
		bad{what: "a database that the server has not", args: on("list --redis redis://{redis}/99"), code: 1, says: "DB index"},
		bad{what: "a password where none is set for the user", args: on("list --redis redis://nobody:s3cret@{redis}"), code: 1, says: "password", never: "s3cret"},
		bad{what: "a single server as a cluster", args: on("list --redis redis-cluster://{redis}"), code: 1, says: "redis://"},
		bad{what: "TLS to a server without it", args: on("list --redis rediss://{redis}"), code: 69, says: "does not answer"},
		bad{what: "a server as a Sentinel", args: on("list --redis redis-sentinel://{redis}/mymaster"), code: 69, says: "does not answer"},
	)
	for _, line := range []string{"list", "show PRP-1", "submit {w}/PRP-1.md", "cancel PRP-1", "inbox dev-1", "mode", "queue list", "dlq list", "export -", "spool drain", "lifecycle use f.yaml", "broadcast hello"} {
		rows = append(rows, bad{what: line + " where no Redis is", args: with(line, "--redis", "redis://u:s3cret@127.0.0.1:1"), code: 69, says: "127.0.0.1:1", never: "s3cret",
			name: "f.yaml", text: ownLifecycle})
	}
	return append(rows,
		bad{what: "a socket that is not there", args: on("list --redis unix://{w}/none.sock"), code: 69, says: "none.sock"},
		bad{what: "a socket that is a file", args: on("list --redis unix://{w}/PRP-1.md"), code: 69, says: "PRP-1.md"},
		bad{what: "a socket where nobody answers", args: on("list --redis unix://{w}/socket.md"), code: 69, says: "socket.md"},
		bad{what: "a web page in place of Redis", args: on("list --redis redis://{page}"), code: 69, says: "{page}"},
		bad{what: "a host that is not there", args: on("list --redis redis://no-such-host.invalid"), code: 69, says: "no-such-host.invalid"},
	)
}

// badListens are addresses that serve and demo do not listen on.
func badListens() (rows []bad) {
	for _, verb := range []string{"serve", "demo --once"} {
		for what, address := range map[string]string{
			"without a port": "127.0.0.1", "with a word for a port": "127.0.0.1:http", "with port 70000": "127.0.0.1:70000", "with a negative port": "127.0.0.1:-1",
			"that is a page": "http://127.0.0.1:8080", "of IPv6 without brackets": "::1:8080", "open to all": "0.0.0.0:0", "open to all by IPv6": "[::]:0",
			"without a host": ":0", "of another machine": "203.0.113.1:0",
		} {
			rows = append(rows, bad{what: verb + " on an address " + what, args: with(verb, "--listen", address), says: address, sibling: verb != "serve"})
		}
		rows = append(rows,
			bad{what: verb + " on an address that is taken", args: with(verb, "--listen", "{redis}"), code: 1, says: "--listen"},
			bad{what: verb + " on an address that is nobody's", args: with(verb, "--insecure", "--listen", "203.0.113.1:0"), code: 1, says: "--listen"},
			bad{what: verb + " on a host that is not there", args: with(verb, "--insecure", "--listen", "no-such-host.invalid:0"), code: 1, says: "--listen"})
	}
	return rows
}
