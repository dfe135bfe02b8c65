package config

import (
	"fmt"
	"regexp"
	"strings"
)

// Token opens the API to one who shows its Secret.
type Token struct {
	// Role is one of the lifecycle (an agent called Name), author or operator.
	Role string
	// Name is who acts with it.
	Name string
	// Secret is what Authorization: Bearer carries.
	Secret string
}

// String is the token as it may be shown.
func (t Token) String() string { return t.Role + ":" + t.Name + ":***" }

// GoString keeps %#v from showing the secret as well.
func (t Token) GoString() string { return t.String() }

var (
	roleForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
)

// ParseTokens reads role:name:token, separated by commas. A sentence about a
// wrong one tells its place in the list, never its text.
func ParseTokens(text string) ([]Token, error) {
	var tokens []Token
	seen := map[string]int{}
	for i, part := range strings.Split(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		fields := strings.SplitN(part, ":", 3)
		if len(fields) != 3 {
			return nil, fmt.Errorf("token %d is not written as role:name:token", i+1)
		}
		t := Token{Role: fields[0], Name: fields[1], Secret: fields[2]}
		switch {
		case !roleForm.MatchString(t.Role):
			return nil, fmt.Errorf("token %d has no role such as developer, author or operator before the first colon", i+1)
		case !nameForm.MatchString(t.Name):
			return nil, fmt.Errorf("token %d has no name of letters, digits, dots, - and _ between the colons", i+1)
		case t.Secret == "" || strings.ContainsFunc(t.Secret, unprintable):
			return nil, fmt.Errorf("token %d (%s:%s) needs printable characters without spaces after the second colon", i+1, t.Role, t.Name)
		case seen[t.Secret] != 0:
			return nil, fmt.Errorf("tokens %d and %d are the same: each must tell who shows it", seen[t.Secret], i+1)
		}
		seen[t.Secret] = i + 1
		tokens = append(tokens, t)
	}
	return tokens, nil
}

// unprintable characters do not pass through a header.
func unprintable(r rune) bool { return r <= ' ' || r > '~' }

func mask(tokens []Token) string {
	parts := make([]string, len(tokens))
	for i, t := range tokens {
		parts[i] = t.String()
	}
	return strings.Join(parts, ",")
}
