package access

import (
	"net"
	"strings"
)

// hosts knows the names that the server may be called by. A page of somebody else
// reaches it through a name of its own, which is none of them.
type hosts struct {
	names    map[string]bool
	loopback bool // names and addresses of this machine for itself
	any      bool // any address: an address is no name that somebody else owns
}

func newHosts(listen string, more []string) hosts {
	h := hosts{names: map[string]bool{}}
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		host = listen
	}
	host = plainHost(host)
	ip := net.ParseIP(host)
	switch {
	case host == "" || ip != nil && ip.IsUnspecified():
		h.loopback, h.any = true, true
	case host == "localhost" || ip != nil && ip.IsLoopback():
		h.loopback = true
	default:
		h.names[host] = true
	}
	for _, name := range more {
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		if name = plainHost(name); name != "" {
			h.names[name] = true
		}
	}
	return h
}

// allows says whether a Host header names the server. The port does not matter: what
// listens in front of it may have another.
func (h hosts) allows(header string) bool {
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	}
	host = plainHost(host)
	ip := net.ParseIP(host)
	switch {
	case host == "":
		return false
	case h.names[host]:
		return true
	case h.loopback && (host == "localhost" || ip != nil && ip.IsLoopback()):
		return true
	}
	return h.any && ip != nil
}

// plainHost is a name as it is compared.
func plainHost(host string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(strings.TrimSpace(host), "[]"), "."))
}
