package lua

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// assemble puts the parts that a script names ("-- WITH: queue die") into it. A
// part is lua/with/<name>.lua. Parts that only read follow the header; those that
// define something that writes follow "-- WRITES", so that no check can call it.
func assemble(files fs.FS, source string) (header, []string, error) {
	lines, err := linesOf(source)
	if err != nil {
		return header{}, nil, err
	}
	head, err := parseHeader(lines)
	if err != nil {
		return header{}, nil, err
	}
	var reading, writing []string
	for _, name := range head.with {
		part, err := readPart(files, name)
		switch {
		case err != nil:
			return header{}, nil, fmt.Errorf("with %s: %w", name, err)
		case checkReads(part) == nil:
			reading = append(reading, part...)
		default:
			writing = append(writing, part...)
		}
	}
	whole := slices.Concat(lines[:head.lines], reading, lines[head.lines:])
	if len(writing) == 0 {
		return head, whole, nil
	}
	cut := slices.IndexFunc(whole, func(line string) bool { return strings.TrimSpace(line) == writesLine })
	if cut < 0 {
		return header{}, nil, errors.New("it has no line \"-- WRITES\" for its parts that write")
	}
	return head, slices.Insert(whole, cut+1, writing...), nil
}

// readPart gives a part without its comments. Its first line says what it is.
func readPart(files fs.FS, name string) ([]string, error) {
	source, err := fs.ReadFile(files, "lua/with/"+name+".lua")
	if err != nil {
		return nil, err
	}
	lines, err := linesOf(string(source))
	if err != nil {
		return nil, err
	}
	if !isSentence(lines[0]) {
		return nil, errors.New("its first line must be a comment of one sentence, with its full stop")
	}
	var code []string
	for _, line := range lines {
		if line = stripComment(line); strings.TrimSpace(line) != "" {
			code = append(code, line)
		}
	}
	return code, nil
}
