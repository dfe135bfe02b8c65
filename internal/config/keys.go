package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The keys of the configuration, as a file writes them.
const (
	KeyRedis         = "redis"
	KeyTLSCA         = "redis.tls.ca"
	KeyTLSCert       = "redis.tls.cert"
	KeyTLSKey        = "redis.tls.key"
	KeyTLSName       = "redis.tls.server_name"
	KeyListen        = "listen"
	KeyDrain         = "drain"
	KeyInsecure      = "insecure"
	KeyEmbedded      = "embedded"
	KeyAsynqmonWrite = "asynqmon.write"
	KeyEviction      = "accept.eviction"
	KeyAPITokens     = "api.tokens"
	KeyTokensFile    = "api.tokens_file"
	KeyHosts         = "hosts"
	KeyStateDir      = "state.dir"
	KeySpoolDir      = "spool.dir"
	KeyMessagesLimit = "messages.limit"

	KeyAlertsWaiting = "alerts.waiting"
	KeyAlertsDead    = "alerts.dead_letters"
	KeyAlertsWait    = "alerts.wait"
	KeyAlertsOldest  = "alerts.oldest"
	KeyAuditEvery    = "audit.every"
	KeyRollback      = "rollback"
	KeyScaleTarget   = "scale.target"
)

// What is done where the message lane should be rolled back.
const (
	RollbackAlert = "alert" // a person is told
	RollbackTmux  = "tmux"  // the switch is turned to tmux, and a person is told
)

// key is one line of the table of all that can be configured.
type key struct {
	name   string
	value  string // default; "" where Load works it out
	secret bool
	noFlag bool // a secret in a flag is seen by everybody who can list processes
}

var keys = []key{
	{name: KeyRedis},
	{name: KeyTLSCA, noFlag: true},
	{name: KeyTLSCert, noFlag: true},
	{name: KeyTLSKey, noFlag: true},
	{name: KeyTLSName, noFlag: true},
	{name: KeyListen, value: "127.0.0.1:8080"},
	{name: KeyDrain, value: "30s"},
	{name: KeyInsecure, value: "false"},
	{name: KeyEmbedded, value: "false"},
	{name: KeyAsynqmonWrite, value: "false"},
	{name: KeyEviction, value: "false"},
	{name: KeyAPITokens, secret: true, noFlag: true},
	{name: KeyTokensFile, noFlag: true},
	{name: KeyHosts, noFlag: true},
	{name: KeyStateDir},
	{name: KeySpoolDir},
	{name: KeyMessagesLimit, value: "100000"},
	{name: KeyAlertsWaiting, value: "1000"},
	{name: KeyAlertsDead, value: "10"},
	{name: KeyAlertsWait, value: "1m"},
	{name: KeyAlertsOldest, value: "15m"},
	{name: KeyAuditEvery, value: "1m"},
	{name: KeyRollback, value: RollbackAlert},
	{name: KeyScaleTarget, value: "30m"},
}

func find(name string) (key, bool) {
	i := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if i < 0 {
		return key{}, false
	}
	return keys[i], true
}

// group reports whether keys lie below this one, as below api.
func group(name string) bool {
	return slices.ContainsFunc(keys, func(k key) bool { return strings.HasPrefix(k.name, name+".") })
}

// flag is the key's name on the command line: asynqmon-write.
func (k key) flag() string {
	if k.noFlag {
		return ""
	}
	return strings.ReplaceAll(k.name, ".", "-")
}

// variable is the key's name in the environment: PRPFLOW_API_TOKENS.
func (k key) variable() string {
	return prefix + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}

// prefix starts every variable of ours.
const prefix = "PRPFLOW_"

// fileVariable names a configuration file in place of prpflow.yaml.
const fileVariable = prefix + "CONFIG_FILE"

// stateDir is where a user's programs keep their state: the XDG rule.
func stateDir(env map[string]string) string {
	if dir := env["XDG_STATE_HOME"]; filepath.IsAbs(dir) { // the rule ignores relative ones
		return filepath.Join(dir, "prpflow")
	}
	home := homeDir(env)
	if home == "" {
		return filepath.Join(os.TempDir(), "prpflow")
	}
	return filepath.Join(home, ".local", "state", "prpflow")
}

// homeDir is the user's home folder, "" where it is unknown.
func homeDir(env map[string]string) string {
	home := env["HOME"]
	if home == "" {
		home, _ = os.UserHomeDir()
	}
	return home
}
