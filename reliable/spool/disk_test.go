package spool

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// smallDisk runs in a child process whose files may have no more than 1000 bytes.
func smallDisk(ctx context.Context, s *Spool) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := unix.Rlimit{Cur: 1000, Max: unix.RLIM_INFINITY}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	kept := 0
	var full error
	for ; full == nil && kept < 100; kept++ {
		full = s.Append(ctx, records("a", "b", "c", "d")...)
	}
	kept-- // the last one failed
	if !errors.Is(full, syscall.EFBIG) || !strings.Contains(full.Error(), "nothing was kept") || strings.Contains(full.Error(), "\n") {
		return fmt.Errorf("the error is %w", full)
	}
	limit.Cur = unix.RLIM_INFINITY
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	list, err := s.List(ctx)
	if err != nil || kept < 1 || len(list) != 4*kept {
		return fmt.Errorf("%d records after %d calls: %w", len(list), kept, err)
	}
	if err := s.Append(ctx, records("e")...); err != nil {
		return err
	}
	stat, err := s.Stat(ctx)
	if err != nil || stat.Records != 4*kept+1 {
		return fmt.Errorf("%+v: %w", stat, err)
	}
	if cut, err := filepath.Glob(s.path(damagedPrefix + "*")); err != nil || len(cut) > 0 {
		return fmt.Errorf("the log was damaged: %q, %w", cut, err)
	}
	return nil
}
