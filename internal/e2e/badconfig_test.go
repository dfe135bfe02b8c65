package e2e

import "strings"

// configTexts are configuration files that cannot be used.
var configTexts = []struct{ what, text, says string }{
	{"an unknown key", "colour: red\n", "colour"},
	{"a key nearly right", "messages:\n  limits: 5\n", "messages.limits"},
	{"a group for a value", "drain: {seconds: 30}\n", "drain"},
	{"a group for the address", "redis: {host: localhost}\n", "redis"},
	{"a list for a value", "listen: [127.0.0.1:8080]\n", "listen"},
	{"a value for a group", "api: yes\n", "api"},
	{"a list at the top", "- redis\n", "prpflow.yaml"},
	{"a text at the top", "redis\n", "prpflow.yaml"},
	{"a duration without a unit", "drain: 30\n", "drain"},
	{"a negative duration", "drain: -30s\n", "drain"},
	{"a duration beyond the end of time", "drain: 9999999999h\n", "drain"},
	{"an address that is none", "redis: localhost\n", "redis"},
	{"an address with another scheme", "redis: http://localhost\n", "redis://"},
	{"a listen address without a port", "listen: localhost\n", "listen"},
	{"a truth that is none", "insecure: perhaps\n", "insecure"},
	{"a number that is none", "messages: {limit: many}\n", "messages.limit"},
	{"a number that is zero", "messages: {limit: 0}\n", "messages.limit"},
	{"a number that is negative", "alerts: {waiting: -1}\n", "alerts.waiting"},
	{"a number with a fraction", "alerts: {dead_letters: 1.5}\n", "alerts.dead_letters"},
	{"a period of nothing", "audit: {every: 0s}\n", "audit.every"},
	{"a target that is a word", "scale: {target: soon}\n", "scale.target"},
	{"an alert without a unit", "alerts: {wait: 5}\n", "alerts.wait"},
	{"an unknown rollback", "rollback: pray\n", "pray"},
	{"tokens without a name", "api: {tokens: secret}\n", "role:name:token"},
	{"tokens that are a group", "api: {tokens: {a: b}}\n", "api.tokens"},
	{"the same token twice", "api: {tokens: [viewer:a:s3cret, author:b:s3cret]}\n", "same"},
	{"a token with a blank", "api: {tokens: ['viewer:a:s3cret word']}\n", "token 1"},
	{"a token with an unreadable role", "api: {tokens: ['Very Big:a:s3cret']}\n", "role"},
	{"a token whose name has a slash", "api: {tokens: ['viewer:a/b:s3cret']}\n", "name"},
	{"a file of tokens that is not there", "api: {tokens_file: nowhere}\n", "nowhere"},
	{"two documents", "drain: 30s\n---\ndrain: 40s\n", "second document"},
	{"a key twice", "drain: 30s\ndrain: 40s\n", "drain"},
	{"a tab", "api:\n\ttokens: x\n", "line 2"},
	{"a bracket that never ends", "hosts: [a, b\n", "prpflow.yaml"},
	{"bytes that are not UTF-8", "drain: \xff\n", "prpflow.yaml"},
	{"NUL", "drain: a\x00b\n", "prpflow.yaml"},
	{"forty thousand brackets", strings.Repeat("[", 40_000), "prpflow.yaml"},
	{"forty thousand braces", strings.Repeat("{a: ", 40_000), "prpflow.yaml"},
	{"aliases of aliases of aliases", laughs, "prpflow.yaml"},
	{"aliases of aliases for hosts", strings.Replace(laughs, "agents:", "hosts:", 1), "prpflow.yaml"},
	{"an anchor that is nowhere", "redis: *nobody\n", "nobody"},
	{"an anchor in a circle", "api: &a {tokens: *a}\n", "prpflow.yaml"},
	{"hosts that are a group", "hosts: {a: b}\n", "hosts"},
	{"a host that is an address of a page", "hosts: ['http://example.com/']\n", "hosts"},
	{"a key that is a number", "7: drain\n", "7"},
}

// variables are settings of the environment that cannot be used.
var variables = []struct{ what, pair, says string }{
	{"a drain without a unit", "PRPFLOW_DRAIN=30", "drain"},
	{"a drain that is a word", "PRPFLOW_DRAIN=soon", "drain"},
	{"a negative drain", "PRPFLOW_DRAIN=-1s", "drain"},
	{"a listen address without a port", "PRPFLOW_LISTEN=localhost", "listen"},
	{"a listen address with a word for a port", "PRPFLOW_LISTEN=localhost:http", "listen"},
	{"insecure perhaps", "PRPFLOW_INSECURE=perhaps", "insecure"},
	{"embedded perhaps", "PRPFLOW_EMBEDDED=2", "embedded"},
	{"writing in asynqmon perhaps", "PRPFLOW_ASYNQMON_WRITE=often", "asynqmon.write"},
	{"tokens without a name", "PRPFLOW_API_TOKENS=s3cret", "role:name:token"},
	{"tokens without a secret", "PRPFLOW_API_TOKENS=viewer:a:", "token 1"},
	{"a limit of messages that is a word", "PRPFLOW_MESSAGES_LIMIT=many", "messages.limit"},
	{"a limit of messages that is negative", "PRPFLOW_MESSAGES_LIMIT=-5", "messages.limit"},
	{"an alert that is a word", "PRPFLOW_ALERTS_WAITING=few", "alerts.waiting"},
	{"an age without a unit", "PRPFLOW_ALERTS_OLDEST=15", "alerts.oldest"},
	{"an audit that never rests", "PRPFLOW_AUDIT_EVERY=1ns", "audit.every"},
	{"an unknown rollback", "PRPFLOW_ROLLBACK=pray", "rollback"},
	{"a target of nothing", "PRPFLOW_SCALE_TARGET=0s", "scale.target"},
	{"a configuration file that is empty but for a word", "PRPFLOW_CONFIG_FILE={w}/notes/shopping.md", "shopping.md"},
}

// badConfigs are configurations that cannot be used.
func badConfigs() (rows []bad) {
	for _, c := range configTexts {
		rows = append(rows, bad{what: "a configuration with " + c.what, args: on("config"), name: "prpflow.yaml", text: c.text,
			env: on("PRPFLOW_REDIS= PRPFLOW_DRAIN="), says: c.says, never: "s3cret"})
	}
	for _, v := range variables {
		rows = append(rows, bad{what: "in the environment " + v.what, args: on("config"), env: []string{v.pair}, says: v.says, never: "s3cret", sibling: true})
	}
	for what, text := range map[string]string{
		"nothing": "", "comments only": "# later\n", "a line that is none": "viewer s3cret\n", "the same token twice": "viewer:a:s3cret\nauthor:b:s3cret\n",
		"a token without a role": ":a:s3cret\n", "bytes that are not UTF-8": "viewer:a:s3cret\xff\n", "a token with NUL": "viewer:a:s3cret\x00\n",
	} {
		rows = append(rows, bad{what: "a file of tokens with " + what, args: on("config"), name: "tokens", text: text, env: on("PRPFLOW_API_TOKENS_FILE=tokens"), says: "api.tokens_file", never: "s3cret"})
	}
	return append(rows,
		bad{what: "a token in the file and in the environment", args: on("config"), name: "tokens", text: "viewer:a:s3cret\n",
			env: on("PRPFLOW_API_TOKENS_FILE=tokens PRPFLOW_API_TOKENS=author:b:s3cret"), says: "same", never: "s3cret"},
		bad{what: "list with a configuration that cannot be read", args: on("list"), name: "prpflow.yaml", text: "colour: red\n", says: "colour"},
		bad{what: "send with a configuration that cannot be read", args: on("send dev-1 hello"), name: "prpflow.yaml", text: "colour: red\n", says: "colour"},
		bad{what: "serve with a configuration that cannot be read", args: on("serve"), name: "prpflow.yaml", text: "colour: red\n", says: "colour"},
		bad{what: "demo with a configuration that cannot be read", args: on("demo --once"), name: "prpflow.yaml", text: "colour: red\n", says: "colour"},
		bad{what: "agent run with a configuration that cannot be read", args: on("agent run --config {w}/good.yaml"), name: "prpflow.yaml", text: "colour: red\n", says: "colour"},
	)
}
