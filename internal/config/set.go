package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/prpflow/prpflow/internal/access"
	"github.com/prpflow/prpflow/internal/plain"
	"github.com/prpflow/prpflow/internal/redisconn"
)

// set gives a key its value.
func (c *Config) set(name, text string) (err error) {
	c.written[name] = text
	switch name {
	case KeyRedis:
		c.Redis, err = text, redisconn.Check(text)
	case KeyTLSCA:
		c.tls.CA = text
	case KeyTLSCert:
		c.tls.Cert = text
	case KeyTLSKey:
		c.tls.Key = text
	case KeyTLSName:
		c.tls.ServerName = text
	case KeyListen:
		c.Listen, err = text, checkAddress(text)
	case KeyDrain:
		c.Drain, err = duration(text)
	case KeyInsecure:
		c.Insecure, err = truth(text)
	case KeyEmbedded:
		c.Embedded, err = truth(text)
	case KeyEviction:
		c.AcceptEviction, err = truth(text)
	case KeyAsynqmonWrite:
		c.AsynqmonWrite, err = truth(text)
	case KeyAPITokens:
		c.named, err = access.ParseTokens(text)
	case KeyTokensFile:
		err = c.readTokens(text)
	case KeyHosts:
		c.Hosts = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
		for _, host := range c.Hosts {
			if strings.ContainsAny(host, "/@?#") { // no header has it
				err = fmt.Errorf("%q is no host such as board.example.com", host)
			}
		}
	case KeyStateDir:
		c.StateDir = text
	case KeySpoolDir:
		c.SpoolDir = text
	case KeyMessagesLimit:
		c.MessagesLimit, err = count(text, 1)
	default:
		return c.setWatch(name, text)
	}
	return err
}

// readTokens reads the file of tokens, and puts them beside those of the configuration.
func (c *Config) readTokens(path string) error {
	var filed []access.Token
	if path != "" {
		text, err := plain.Named(path, maxFile)
		if err != nil {
			return fmt.Errorf("%s %w", path, err)
		}
		if filed, err = access.ParseFile(string(text)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if len(filed) == 0 {
			return fmt.Errorf("%s has no token: a line is role:name:token", path)
		}
	}
	var err error
	c.Tokens, err = access.Join(c.named, filed)
	return err
}

// setWatch sets what is about watching the lanes.
func (c *Config) setWatch(name, text string) (err error) {
	switch name {
	case KeyAlertsWaiting:
		c.AlertsWaiting, err = count(text, 0)
	case KeyAlertsDead:
		c.AlertsDead, err = count(text, 0)
	case KeyAlertsWait:
		c.AlertsWait, err = duration(text)
	case KeyAlertsOldest:
		c.AlertsOldest, err = duration(text)
	case KeyAuditEvery:
		c.AuditEvery, err = period(text)
	case KeyRollback:
		c.Rollback = text
		if text != RollbackAlert && text != RollbackTmux {
			err = fmt.Errorf("%q is neither %s nor %s", text, RollbackAlert, RollbackTmux)
		}
	case KeyScaleTarget:
		c.ScaleTarget, err = period(text)
	}
	return err
}

func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration such as 30s or 5m", text)
	}
	return d, nil
}

// period is a duration that something is done in.
func period(text string) (time.Duration, error) {
	d, err := duration(text)
	if err == nil && d < 10*time.Millisecond {
		err = fmt.Errorf("%q is shorter than 10ms", text)
	}
	return d, err
}

func count(text string, least int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, fmt.Errorf("%q is not a number of at least %d", text, least)
	}
	return n, nil
}

func truth(text string) (bool, error) {
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("%q is neither true nor false", text)
	}
	return b, nil
}
