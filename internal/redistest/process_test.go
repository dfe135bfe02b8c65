package redistest

import (
	"strings"
	"testing"
)

func TestServerThatEndsByItselfSaysWhy(t *testing.T) {
	t.Parallel()
	if _, _, err := launchAnywhere(t.Context(), "--no-such-flag", "1"); err == nil || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("error %v does not say why", err)
	}
}

func TestServerThatCannotStartIsAnError(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, _, err := launchAnywhere(t.Context()); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestFleetStartsAnewAfterItStopped(t *testing.T) {
	t.Parallel()
	require(t, "redis")
	var f fleet
	first := f.start(t, "redis", startSingle)[0]
	if again := f.start(t, "redis", startSingle)[0]; again != first {
		t.Errorf("started twice: %s and %s", first, again)
	}
	proc := f.procs[0]
	f.stop()
	<-proc.done
	f.start(t, "redis", startSingle)
	f.stop()
}
