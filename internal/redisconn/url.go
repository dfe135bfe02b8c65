package redisconn

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrURL marks an address that cannot be used as it is written. Its sentence
// never repeats the address whole, since it may hold a password.
var ErrURL = errors.New("not a Redis address")

// schemes and the port that each means where none is written.
var schemes = map[string]string{
	"redis": "6379", "rediss": "6379", "redis-cluster": "6379", "rediss-cluster": "6379",
	"redis-sentinel": "26379", "rediss-sentinel": "26379", "unix": "",
}

// Check says in one sentence what is wrong with an address, without dialling.
func Check(address string) error {
	_, _, err := parse(address)
	return err
}

// Redacted is the address as it may be shown: its password is not in it.
func Redacted(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return "(unreadable address)"
	}
	if scheme == "unix" && strings.HasPrefix(rest, "/") {
		return address // an @ is a part of the path
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	// A password that was not escaped may itself hold a slash: the last @ counts.
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, _, secret := strings.Cut(rest[:at], ":")
		if !secret {
			return scheme + "://" + user + "@" + rest[at+1:]
		}
		return scheme + "://" + user + ":***@" + rest[at+1:]
	}
	return scheme + "://" + rest[:end] + rest[end:]
}

// parse reads an address. The hosts are a list, which net/url does not accept,
// so they are taken apart by hand.
func parse(address string) (*redis.UniversalOptions, *TLS, error) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(address), "://")
	port, known := schemes[scheme]
	if !ok || !known {
		return nil, nil, bad("it must start with redis://, rediss://, redis-sentinel://, redis-cluster:// or unix://")
	}
	rest, query, _ := strings.Cut(rest, "?")
	opts := &redis.UniversalOptions{}
	plain := scheme == "unix" && strings.HasPrefix(rest, "/") // an @ is a part of the path
	if at := strings.LastIndex(rest, "@"); at >= 0 && !plain {
		if err := credentials(opts, rest[:at]); err != nil {
			return nil, nil, err
		}
		rest = rest[at+1:]
	}
	secure := &TLS{}
	if err := parameters(opts, secure, query); err != nil {
		return nil, nil, err
	}
	if !strings.HasPrefix(scheme, "rediss") {
		if *secure != (TLS{}) {
			return nil, nil, bad("parameters that begin with tls_ belong to rediss://, rediss-sentinel:// or rediss-cluster://")
		}
		secure = nil
	}
	if scheme == "unix" {
		if !strings.HasPrefix(rest, "/") {
			return nil, nil, bad("unix:// is followed by the absolute path of a socket, as in unix:///run/redis.sock")
		}
		path, err := url.PathUnescape(rest)
		if err != nil {
			return nil, nil, bad("a % in the path of a socket must be written as %25")
		}
		opts.Addrs = []string{path}
		return opts, nil, nil
	}
	hosts, path, _ := strings.Cut(rest, "/")
	addrs, err := addresses(hosts, port)
	if err != nil {
		return nil, nil, err
	}
	opts.Addrs = addrs
	return opts, secure, place(opts, strings.TrimPrefix(scheme, "rediss"), path)
}

// place reads what follows the hosts: a database, a master's name, or nothing.
func place(opts *redis.UniversalOptions, scheme, path string) error {
	switch {
	case strings.HasSuffix(scheme, "-sentinel"):
		master, db, more := strings.Cut(path, "/")
		if master == "" {
			return bad("redis-sentinel:// needs the master's name after the hosts, as in redis-sentinel://host1,host2/mymaster")
		}
		opts.MasterName = master
		if more {
			return database(opts, db)
		}
	case strings.HasSuffix(scheme, "-cluster"):
		if path != "" && path != "0" || opts.DB != 0 {
			return bad("a Redis Cluster has database 0 only")
		}
		opts.IsClusterMode = true
	case len(opts.Addrs) > 1:
		return bad("redis:// names one host; for several use redis-sentinel:// or redis-cluster://")
	case path != "":
		return database(opts, path)
	}
	return nil
}

func addresses(hosts, port string) ([]string, error) {
	var addrs []string
	for host := range strings.SplitSeq(hosts, ",") {
		name, p, err := net.SplitHostPort(host)
		if err != nil { // no port
			name, p = strings.Trim(host, "[]"), port
		}
		if n, err := strconv.Atoi(p); name == "" || err != nil || n < 1 || n > 65535 || strings.ContainsAny(name, " \t\r\n#") {
			return nil, bad("each host is written as host or host:port, as in redis://127.0.0.1:6379")
		}
		addrs = append(addrs, net.JoinHostPort(name, p))
	}
	return addrs, nil
}

func credentials(opts *redis.UniversalOptions, written string) error {
	user, secret, _ := strings.Cut(written, ":")
	var errs [2]error
	opts.Username, errs[0] = url.PathUnescape(user)
	opts.Password, errs[1] = url.PathUnescape(secret)
	if errors.Join(errs[:]...) != nil {
		return bad("a % in user or password must be written as %25")
	}
	return nil
}

// parameters accepts what the address forms document, and refuses the rest by
// name, since a misspelt parameter that is ignored is a surprise later.
func parameters(opts *redis.UniversalOptions, secure *TLS, query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return bad("what follows the ? is not readable")
	}
	for name := range values {
		switch name {
		case "db":
			if err := database(opts, values.Get(name)); err != nil {
				return err
			}
		case "sentinel_username":
			opts.SentinelUsername = values.Get(name)
		case "sentinel_password":
			opts.SentinelPassword = values.Get(name)
		default:
			if !secure.take(name, values.Get(name)) {
				return bad(fmt.Sprintf("the parameter %q is unknown; db, sentinel_username, sentinel_password, %s are known", name, strings.Join([]string{tlsCA, tlsCert, tlsKey, tlsName}, ", ")))
			}
		}
	}
	return nil
}

func database(opts *redis.UniversalOptions, written string) error {
	n, err := strconv.Atoi(written)
	if err != nil || n < 0 {
		return bad("the database is a number, as in redis://127.0.0.1:6379/0")
	}
	opts.DB = n
	return nil
}

func bad(why string) error { return fmt.Errorf("%w: %s", ErrURL, why) }
