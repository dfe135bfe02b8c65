package redisconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/prpflow/prpflow/internal/plain"
)

// TLS says how a connection is secured, beside what rediss:// means by itself: the
// system's authorities, and the name of the address. Its files are read for each new
// connection, so that renewed ones are taken up.
type TLS struct {
	CA         string // file of authorities, PEM; "" = the system's
	Cert, Key  string // files of a client certificate, PEM; "" = none
	ServerName string // name in the server's certificate; "" = that of the address
}

// maxPEM bounds a file of certificates, in bytes.
const maxPEM = 1 << 20

// The parameters of an address that stand for the fields.
const (
	tlsCA   = "tls_ca"
	tlsCert = "tls_cert"
	tlsKey  = "tls_key"
	tlsName = "tls_server_name"
)

// WithTLS puts the settings into an address. Those that the address has count.
func WithTLS(address string, t TLS) (string, error) {
	if t == (TLS{}) {
		return address, nil
	}
	scheme, _, _ := strings.Cut(address, "://")
	if !strings.HasPrefix(scheme, "rediss") {
		return "", bad("redis.tls is set, and the address does not begin with rediss://, rediss-sentinel:// or rediss-cluster://")
	}
	base, query, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", bad("what follows the ? is not readable")
	}
	for name, value := range map[string]string{tlsCA: t.CA, tlsCert: t.Cert, tlsKey: t.Key, tlsName: t.ServerName} {
		if value != "" && !values.Has(name) {
			values.Set(name, value)
		}
	}
	return base + "?" + values.Encode(), nil
}

// take reads the parameters of an address; ok is false for one that is none of TLS.
func (t *TLS) take(name, value string) (ok bool) {
	switch name {
	case tlsCA:
		t.CA = value
	case tlsCert:
		t.Cert = value
	case tlsKey:
		t.Key = value
	case tlsName:
		t.ServerName = value
	default:
		return false
	}
	return true
}

// config reads the files.
func (t *TLS) config(addr string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(addr)
	}
	if t.CA != "" {
		text, err := plain.Named(t.CA, maxPEM)
		if err != nil {
			return nil, bad(fmt.Sprintf("the file of authorities %s %v", t.CA, err))
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, bad("the file of authorities " + t.CA + " holds no certificate in PEM")
		}
	}
	switch {
	case t.Cert == "" && t.Key == "":
		return c, nil
	case t.Cert == "" || t.Key == "":
		return nil, bad("a client certificate needs both its certificate and its key (redis.tls.cert and redis.tls.key)")
	}
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		if p, ok := errors.AsType[*os.PathError](err); ok {
			return nil, bad(fmt.Sprintf("the client certificate cannot be read: %s: %v", p.Path, p.Err))
		}
		return nil, bad(fmt.Sprintf("the client certificate %s with the key %s cannot be used: %v", t.Cert, t.Key, err))
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// errHandshake says that nobody answers to TLS.
var errHandshake = errors.New("the TLS handshake is not answered")

// insecurely says what is wrong between the two ends of TLS, and what to do; "" where
// that is not the trouble.
func insecurely(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is not signed by an authority that is trusted here: name its authority with redis.tls.ca"
	}
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("its certificate is not for the name %s: set redis.tls.server_name to a name that it is for", name.Host)
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "its certificate has expired, or is not valid yet: renew it, or look at the clocks"
		}
		return "its certificate is not valid: " + invalid.Error()
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "it does not speak TLS at this port: use redis://, or the port for TLS"
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "remote error: tls: certificate required"), strings.Contains(text, "remote error: tls: bad certificate"), strings.Contains(text, "remote error: tls: handshake failure"):
		return "it asks for a client certificate: name one with redis.tls.cert and redis.tls.key"
	case strings.Contains(text, "remote error: tls: unknown certificate authority"):
		return "it does not trust the authority of the client certificate: use one that its tls-ca-cert-file has signed"
	case strings.Contains(text, "remote error: tls: expired certificate"):
		return "the client certificate has expired: renew it"
	}
	return ""
}
