package redisconn

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	name string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: dir, name: name}
	a.cert, a.key = a.make(name, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}, time.Hour)
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// sign makes NAME.pem and NAME.key, valid for so long from an hour ago on.
func (a *authority) sign(name string, valid time.Duration, hosts ...string) {
	a.t.Helper()
	template := &x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	a.make(name, template, valid)
}

func (a *authority) make(name string, template *x509.Certificate, valid time.Duration) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(a.t, err)
	template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	must(a.t, err)
	template.Subject = pkix.Name{CommonName: name}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(valid)
	parent, by := a.cert, a.key
	if parent == nil {
		parent, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	must(a.t, err)
	private, err := x509.MarshalECPrivateKey(key)
	must(a.t, err)
	must(a.t, os.WriteFile(a.file(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(a.t, os.WriteFile(a.file(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600))
	cert, err := x509.ParseCertificate(der)
	must(a.t, err)
	return cert, key
}

// serveTLS starts a redis-server that speaks TLS; what it asks of clients is yes, no or
// optional.
func serveTLS(t *testing.T, a *authority, cert, clients string) (port int) {
	t.Helper()
	redistest.Command(t, "redis", "redis-server")
	for range 5 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		port = l.Addr().(*net.TCPAddr).Port
		must(t, l.Close())
		cmd := exec.Command("redis-server", "--port", "0", "--tls-port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "",
			"--tls-cert-file", a.file(cert+".pem"), "--tls-key-file", a.file(cert+".key"), "--tls-ca-cert-file", a.file(a.name+".pem"), "--tls-auth-clients", clients)
		must(t, mortal.Start(cmd))
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		t.Cleanup(func() { _ = cmd.Process.Kill(); <-done })
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
				_ = c.Close()
				return port
			}
			select {
			case <-done:
				end = time.Now() // the port was taken, another one
			default:
			}
		}
	}
	t.Fatal("no redis-server with TLS")
	return 0
}

func TestTLSWorksWithAllItsSettings(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, t.TempDir(), "authority")
	a.sign("server", time.Hour, "127.0.0.1", "redis.internal")
	a.sign("client", time.Hour)
	port := serveTLS(t, a, "server", "yes")
	for name, settings := range map[string]TLS{
		"by address": {CA: a.file("authority.pem"), Cert: a.file("client.pem"), Key: a.file("client.key")},
		"by name":    {CA: a.file("authority.pem"), Cert: a.file("client.pem"), Key: a.file("client.key"), ServerName: "redis.internal"},
	} {
		address, err := WithTLS(fmt.Sprintf("rediss://127.0.0.1:%d", port), settings)
		must(t, err)
		for _, p := range []Profile{Interactive, LongLived} {
			if err := Ping(t.Context(), open(t, address, Options{Profile: p})); err != nil {
				t.Errorf("%s, profile %d: %v", name, p, err)
			}
		}
	}
}

func TestTroubleWithTLSIsASentenceAndNoOutage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, stranger := newAuthority(t, dir, "authority"), newAuthority(t, dir, "stranger")
	a.sign("server", time.Hour, "127.0.0.1")
	a.sign("expired", -time.Minute, "127.0.0.1")
	a.sign("elsewhere", time.Hour, "elsewhere.example")
	stranger.sign("foreign", time.Hour)
	asks, open0, expired, elsewhere := serveTLS(t, a, "server", "yes"), serveTLS(t, a, "server", "no"), serveTLS(t, a, "expired", "no"), serveTLS(t, a, "elsewhere", "no")
	ca := "tls_ca=" + a.file("authority.pem")
	plainPort := redistest.Server(t).Addr
	for name, c := range map[string]struct{ address, want string }{
		"unknown authority":   {fmt.Sprintf("rediss://127.0.0.1:%d", open0), "redis.tls.ca"},
		"another authority":   {fmt.Sprintf("rediss://127.0.0.1:%d?tls_ca=%s", open0, a.file("stranger.pem")), "redis.tls.ca"},
		"expired":             {fmt.Sprintf("rediss://127.0.0.1:%d?%s", expired, ca), "has expired"},
		"another name":        {fmt.Sprintf("rediss://127.0.0.1:%d?%s", elsewhere, ca), "redis.tls.server_name"},
		"no certificate":      {fmt.Sprintf("rediss://127.0.0.1:%d?%s", asks, ca), "redis.tls.cert"},
		"foreign certificate": {fmt.Sprintf("rediss://127.0.0.1:%d?%s&tls_cert=%s&tls_key=%s", asks, ca, a.file("foreign.pem"), a.file("foreign.key")), "client certificate"},
		"TLS to a plain port": {"rediss://" + plainPort, "use redis://"},
		"plain to a TLS port": {fmt.Sprintf("redis://127.0.0.1:%d", open0), "use rediss://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Ping(t.Context(), open(t, c.address, Options{}))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if !strings.Contains(name, "port") && errors.Is(err, ErrUnreachable) {
				t.Errorf("it is taken for an outage: %v", err)
			}
		})
	}
}

func TestRenewedCertificatesAreTakenUp(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, t.TempDir(), "authority")
	a.sign("server", time.Hour, "127.0.0.1")
	a.sign("client", time.Hour)
	port := serveTLS(t, a, "server", "yes")
	address, err := WithTLS(fmt.Sprintf("rediss://127.0.0.1:%d", port), TLS{CA: a.file("authority.pem"), Cert: a.file("client.pem"), Key: a.file("client.key")})
	must(t, err)
	a.sign("client", -time.Minute) // it has expired
	rdb := open(t, address, Options{PoolSize: 1})
	if err := Ping(t.Context(), rdb); err == nil {
		t.Fatal("an expired certificate is taken")
	}
	a.sign("client", time.Hour)
	if err := Ping(t.Context(), rdb); err != nil {
		t.Errorf("the renewed one is not: %v", err)
	}
}

func TestSettingsOfTLSAreChecked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "text"), []byte("no certificate"), 0o600))
	a := newAuthority(t, dir, "authority")
	a.sign("client", time.Hour)
	for name, c := range map[string]struct {
		address string
		tls     TLS
		want    string
	}{
		"plain address":      {"redis://h", TLS{CA: "x"}, "does not begin with rediss://"},
		"parameter of plain": {"redis://h?tls_ca=x", TLS{}, "belong to rediss://"},
		"no file":            {"rediss://h", TLS{CA: filepath.Join(dir, "none")}, "none cannot be opened"},
		"no PEM":             {"rediss://h", TLS{CA: filepath.Join(dir, "text")}, "holds no certificate in PEM"},
		"half a pair":        {"rediss://h", TLS{Cert: a.file("client.pem")}, "needs both"},
		"another key":        {"rediss://h", TLS{Cert: a.file("client.pem"), Key: a.file("authority.key")}, "cannot be used"},
		"no key":             {"rediss://h", TLS{Cert: a.file("client.pem"), Key: filepath.Join(dir, "none")}, "cannot be read"},
	} {
		address, err := WithTLS(c.address, c.tls)
		if err == nil {
			_, err = Open(address, Options{})
		}
		if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if got, err := WithTLS("rediss://h?tls_ca=mine&db=1", TLS{CA: "other", ServerName: "n"}); err != nil || got != "rediss://h?db=1&tls_ca=mine&tls_server_name=n" {
		t.Errorf("got %s, %v", got, err)
	}
}
