package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Roles that are not those of a lifecycle. Any other one is that of an agent.
const (
	Viewer   = "viewer"   // looks
	Author   = "author"   // looks, submits and steers PRPs
	Operator = "operator" // all
)

// Token opens the server to one who shows it. What is kept of it is its hash.
type Token struct {
	// Role is Viewer, Author, Operator, or one of the lifecycle: an agent called Name.
	Role string
	// Name is who acts with it.
	Name string

	hash [sha256.Size]byte
}

// NewToken makes a token of its secret.
func NewToken(role, name, secret string) Token {
	return Token{Role: role, Name: name, hash: sha256.Sum256([]byte(secret))}
}

// Agent says whether it is that of an agent.
func (t Token) Agent() bool { return t.Role != Viewer && t.Role != Author && t.Role != Operator }

// String is the token as it may be shown.
func (t Token) String() string { return t.Role + ":" + t.Name + ":***" }

// GoString keeps %#v from showing more.
func (t Token) GoString() string { return t.String() }

// find compares a secret with every token, in the same time whichever fits.
func find(tokens []Token, secret string) (Token, bool) {
	hash, at := sha256.Sum256([]byte(secret)), -1
	for i := range tokens {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], tokens[i].hash[:]), i, at)
	}
	if at < 0 {
		return Token{}, false
	}
	return tokens[at], true
}

var (
	roleForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
)

// ParseTokens reads role:name:token, separated by commas. A sentence about a
// wrong one tells its place in the list, never its text.
func ParseTokens(text string) ([]Token, error) {
	tokens, err := parse(strings.Split(text, ","))
	if err == nil && len(tokens) == 0 && text != "" { // variables that are not set, most often
		err = errors.New("there is no token between the commas")
	}
	return tokens, err
}

// ParseFile reads a file of one role:name:token a line. Empty lines, and those that
// begin with #, are passed over.
func ParseFile(text string) ([]Token, error) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines[i] = ""
		}
	}
	return parse(lines)
}

func parse(parts []string) ([]Token, error) {
	var tokens []Token
	seen := map[[sha256.Size]byte]int{}
	for i, part := range parts {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		fields := strings.SplitN(part, ":", 3)
		if len(fields) != 3 {
			return nil, fmt.Errorf("token %d is not written as role:name:token", i+1)
		}
		role, name, secret := fields[0], fields[1], fields[2]
		t := NewToken(role, name, secret)
		switch {
		case !roleForm.MatchString(role):
			return nil, fmt.Errorf("token %d has no role such as developer, viewer, author or operator before the first colon", i+1)
		case !nameForm.MatchString(name):
			return nil, fmt.Errorf("token %d has no name of letters, digits, dots, - and _ between the colons", i+1)
		case secret == "" || strings.ContainsFunc(secret, unprintable):
			return nil, fmt.Errorf("token %d (%s:%s) needs printable characters without spaces after the second colon", i+1, role, name)
		case seen[t.hash] != 0:
			return nil, fmt.Errorf("tokens %d and %d are the same: each must tell who shows it", seen[t.hash], i+1)
		}
		seen[t.hash] = i + 1
		tokens = append(tokens, t)
	}
	return tokens, nil
}

// Join puts tokens of two sources together. The same secret twice is refused.
func Join(a, b []Token) ([]Token, error) {
	for _, x := range a {
		for _, y := range b {
			if x.hash == y.hash {
				return nil, fmt.Errorf("the tokens of %s:%s and %s:%s are the same: each must tell who shows it", x.Role, x.Name, y.Role, y.Name)
			}
		}
	}
	return append(append([]Token{}, a...), b...), nil
}

// unprintable characters do not pass through a header.
func unprintable(r rune) bool { return r <= ' ' || r > '~' }

// Mask shows tokens without their secrets.
func Mask(tokens []Token) string {
	parts := make([]string, len(tokens))
	for i, t := range tokens {
		parts[i] = t.String()
	}
	return strings.Join(parts, ",")
}
