package spool

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/internal/mortal"
)

// The environment of a child process of a test: what it does, and where.
const (
	childRole = "SPOOL_TEST_ROLE"
	childDir  = "SPOOL_TEST_DIR"
	childName = "SPOOL_TEST_NAME"
	childFile = "SPOOL_TEST_FILE"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		if err := child(context.Background(), role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(mortal.M{M: m}, goleak.IgnoreCurrent())
}

// command is a child process that plays a role on this bench's folder.
func (b *bench) command(role, name, file string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childDir+"="+b.dir, childName+"="+name, childFile+"="+file)
	cmd.Stderr = os.Stderr
	return cmd
}

func child(ctx context.Context, role string) error {
	s, err := Open(Config{Dir: os.Getenv(childDir)})
	if err != nil {
		return err
	}
	switch role {
	case "append": // until it is killed; it prints what is safe
		for n := 0; ; n++ {
			id := os.Getenv(childName) + " " + strconv.Itoa(n)
			if err := s.Append(ctx, records(id)...); err != nil {
				return err
			}
			fmt.Println(id)
		}
	case "drain": // until it is killed
		for {
			if _, err := s.Drain(ctx, receiver(os.Getenv(childFile))); err != nil {
				return err
			}
		}
	case "both":
		for n := range 200 {
			if err := s.Append(ctx, records(os.Getenv(childName)+" "+strconv.Itoa(n))...); err != nil {
				return err
			}
			if n%10 == 0 {
				if _, err := s.Drain(ctx, receiver(os.Getenv(childFile))); err != nil {
					return err
				}
			}
		}
		return nil
	case "small disk":
		return smallDisk(ctx, s)
	}
	return fmt.Errorf("no role %q", role)
}

// receiver is a push that adds ids to a file, a line each.
func receiver(file string) func(context.Context, []Record) error {
	return func(_ context.Context, list []Record) error {
		f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		var lines strings.Builder
		for _, r := range list {
			fmt.Fprintln(&lines, r.ID)
		}
		_, err = f.WriteString(lines.String())
		return err
	}
}

// received are the ids in a receiver's file, per name, in their order.
func (b *bench) received(file string) map[string][]int {
	b.Helper()
	content, err := os.ReadFile(file)
	b.must(err)
	got := map[string][]int{}
	for line := range strings.Lines(string(content)) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(number)
		b.must(err)
		got[name] = append(got[name], n)
	}
	return got
}
