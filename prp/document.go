package prp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// MaxSize is the largest document that is read, in bytes.
const MaxSize = 1 << 20

// What cannot be read at all.
var (
	ErrNotText  = errors.New("not a text in UTF-8")
	ErrTooLarge = errors.New("larger than 1 MiB")
	ErrEmpty    = errors.New("empty")
)

// Document is what a PRP says.
type Document struct {
	ID           string      `json:"id"`
	Title        string      `json:"title"`
	Priority     string      `json:"priority"` // P0 to P3, "" where none is stated
	Status       string      `json:"status"`   // what it means: new, ready, in_progress, complete, deprecated; it never moves a PRP
	StatusRaw    string      `json:"status_raw"`
	Repo         string      `json:"repo"`
	DependsOn    []string    `json:"depends_on"` // ids and file names, as the document gives them
	Criteria     []Criterion `json:"criteria"`
	Gates        []Gate      `json:"gates"`
	LooksLikePRP bool        `json:"looks_like_prp"`
	Warnings     []Finding   `json:"warnings"`
	Spans        Spans       `json:"spans"`
	SHA256       string      `json:"sha256"` // of the bytes given, hex

	untitled bool // the title is the file's name
}

// Span is where something stands in the bytes that were given to Parse: from
// Start up to, and without, End.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Criterion is one thing by which the result is judged.
type Criterion struct {
	Text   string      `json:"text"`
	Done   bool        `json:"done"`
	Source string      `json:"source"` // its heading
	Line   int         `json:"line"`
	Span   Span        `json:"span"` // with what is indented under it
	Items  []Criterion `json:"items,omitempty"`
}

// Gate is a block of commands that validates the result.
type Gate struct {
	Name           string   `json:"name"` // its heading
	Level          int      `json:"level"`
	Lang           string   `json:"lang"`
	Raw            string   `json:"raw"`
	Commands       []string `json:"commands"`
	HasPlaceholder bool     `json:"has_placeholder"`
	Inline         bool     `json:"inline"` // a command in running text
	Line           int      `json:"line"`
	Span           Span     `json:"span"` // its block, with the lines that open and close it
}

// Spans are the lines that the fields of a document were read from; empty for a
// field that it does not state.
type Spans struct {
	ID        Span `json:"id"`
	Title     Span `json:"title"`
	Priority  Span `json:"priority"`
	Status    Span `json:"status"`
	Repo      Span `json:"repo"`
	DependsOn Span `json:"depends_on"`
}

// Parse reads a document; name is its file name. It refuses what is no text, is
// empty or too large, and takes everything else as it is.
func Parse(name string, text []byte) (Document, error) {
	sum := sha256.Sum256(text)
	d := Document{SHA256: hex.EncodeToString(sum[:]), DependsOn: []string{}, Criteria: []Criterion{}, Gates: []Gate{}, Warnings: []Finding{}}
	switch {
	case len(text) > MaxSize:
		return d, fmt.Errorf("%s is %w: split it, or keep data in files beside it", name, ErrTooLarge)
	case utf8.Valid(text) && bytes.IndexByte(text, 0) >= 0:
		return d, fmt.Errorf("%s is %w: it holds a NUL byte", name, ErrNotText)
	case !utf8.Valid(text):
		return d, fmt.Errorf("%s is %w: save it as UTF-8", name, ErrNotText)
	case len(bytes.TrimSpace(bytes.TrimPrefix(text, bom))) == 0:
		return d, fmt.Errorf("%s is %w", name, ErrEmpty)
	}
	p := parser{name: name, doc: &d}
	p.scan(text)
	p.readHeader()
	p.readFields()
	p.title()
	p.identity()
	if p.fromSection { // prose may name the PRP that it stands in
		d.DependsOn = slices.DeleteFunc(d.DependsOn, func(token string) bool { return token == d.ID })
	}
	p.criteria()
	p.gates()
	d.LooksLikePRP = p.looksLikePRP()
	return d, nil
}
