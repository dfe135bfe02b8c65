package spool

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
)

// errDamaged says that a line differs from what was written.
var errDamaged = errors.New("damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumLength is the length of a checksum and the space after it.
const sumLength = 9

// encode writes a value as a line.
func encode(v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(payload, castagnoli), payload), nil
}

// check returns the part of a line behind its checksum, which must match.
func check(line []byte) (payload []byte, err error) {
	if len(line) <= sumLength || line[sumLength-1] != ' ' || line[len(line)-1] != '\n' {
		return nil, errDamaged
	}
	payload = line[sumLength : len(line)-1]
	sum, err := strconv.ParseUint(string(line[:sumLength-1]), 16, 32)
	if err != nil || uint32(sum) != crc32.Checksum(payload, castagnoli) {
		return nil, errDamaged
	}
	return payload, nil
}

// decode reads what encode has written.
func decode(line []byte, v any) error {
	payload, err := check(line)
	if err != nil {
		return err
	}
	return decodePayload(payload, v)
}

func decodePayload(payload []byte, v any) error {
	if err := json.Unmarshal(payload, v); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}

// nextLine reads up to and including a newline, or to the end. It overwrites the
// previous line.
func nextLine(in *bufio.Reader, line *bytes.Buffer) error {
	line.Reset()
	for {
		part, err := in.ReadSlice('\n')
		line.Write(part)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}
