package config

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/prpflow/prpflow/internal/access"
)

// ErrOpen says that the server would be open to the world.
var ErrOpen = errors.New("set PRPFLOW_API_TOKENS (api.tokens, api.tokens_file), or listen on 127.0.0.1, or say --insecure")

// CheckListen refuses an address that others can reach, unless tokens guard it
// or somebody has said that it may be open.
func CheckListen(listen string, tokens []access.Token, insecure bool) error {
	if err := checkAddress(listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if Loopback(listen) || len(tokens) > 0 || insecure {
		return nil
	}
	return fmt.Errorf("%s can be reached from other machines without a token: %w", listen, ErrOpen)
}

// Loopback reports whether only this machine can reach the address. ":8080" is
// on every interface; "localhost" is not.
func Loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func checkAddress(listen string) error {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("%q is no address such as 127.0.0.1:8080", listen)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q has no port between 0 and 65535", listen)
	}
	return nil
}
