package agents

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/prpflow/prpflow/internal/plain"
	"github.com/prpflow/prpflow/tasks"
)

// state is the folder of this process: <state dir>/<store id>/<incarnation>,
// locked while the process lives. The lock is the kernel's: whoever gets it
// knows that the owner is dead.
type state struct {
	store string // folder of the store
	path  string // folder of this incarnation
	lock  *os.File
}

const (
	lockName     = "lock"
	deliveryName = "delivery.json"
	unfinished   = ".new-" // begins the name of a folder that is not locked yet
)

// maxDelivery is more than a delivery on disk can have: a result that is as
// large as allowed, and the run.
const maxDelivery = 2*tasks.MaxResult + 64<<10

func openState(dir, storeID, incarnation string) (*state, error) {
	full, err := filepath.Abs(dir) // agents are told paths in it, and work elsewhere
	if err != nil {
		return nil, unusable(dir, err)
	}
	s := &state{store: filepath.Join(full, folder(storeID))}
	s.path = filepath.Join(s.store, folder(incarnation))
	// It gets its name once it is locked: a folder without a lock is a dead one's,
	// and whoever starts at the same moment would take it over.
	fresh := filepath.Join(s.store, unfinished+filepath.Base(s.path))
	if err := os.MkdirAll(fresh, 0o700); err != nil {
		return nil, unusable(full, err)
	}
	lock, err := tryLock(fresh)
	if err == nil && lock == nil {
		err = errors.New("it is locked by another process")
	}
	if err != nil {
		return nil, unusable(fresh, err)
	}
	if err := os.Rename(fresh, s.path); err != nil {
		lock.Close()
		_ = os.RemoveAll(fresh)
		if errors.Is(err, fs.ErrExist) {
			err = errors.New("it is locked by another process")
		}
		return nil, unusable(s.path, err)
	}
	s.lock = lock
	return s, nil
}

// unusable says what to do about a state folder.
func unusable(path string, err error) error {
	return fmt.Errorf("the state folder %s cannot be used: %w; name another one with --state-dir (state.dir)", path, err)
}

// folder makes a name that is one folder.
func folder(name string) string {
	name = strings.NewReplacer("/", "_", "\x00", "_").Replace(strings.TrimLeft(name, "."))
	if name == "" {
		return "_"
	}
	return name
}

// others lists the folders of the store's other incarnations.
func (s *state) others() ([]string, error) {
	entries, err := os.ReadDir(s.store)
	if err != nil {
		return nil, fmt.Errorf("agents: state folder: %w", err)
	}
	var paths []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		if path := filepath.Join(s.store, e.Name()); e.IsDir() && path != s.path {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// close gives the folder up; what lies in it undelivered stays.
func (s *state) close() {
	_ = removeIfDone(s.path)
	_ = s.lock.Close()
}

// removeIfDone removes a folder in which no run is left. The caller holds its lock.
func removeIfDone(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			return nil
		}
	}
	if err := os.RemoveAll(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil // or somebody who tried the lock has put a file there again: whoever starts next removes it
}

// runDir is the folder of a run.
type runDir struct{ path string }

func (s *state) open(run tasks.Run) (*runDir, error) {
	d := &runDir{filepath.Join(s.path, folder(run.ID))}
	return d, os.Mkdir(d.path, 0o700)
}

// save writes the delivery so that it is whole on disk, or not there. The agent
// can write to the folder too: whatever it has put there is not written through.
func (d *runDir) save(delivery tasks.Delivery) error {
	b, err := json.Marshal(delivery)
	if err != nil {
		return err
	}
	final := filepath.Join(d.path, deliveryName)
	f, err := os.CreateTemp(d.path, "delivery-*.new") // a new file, 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if serr := f.Sync(); err == nil {
		err = serr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), final)
	}
	if err == nil {
		err = syncFolder(d.path)
	}
	return err
}

// syncFolder makes a rename in the folder last.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// load reads a saved delivery; ok is false where there is none.
func (d *runDir) load() (delivery tasks.Delivery, ok bool, err error) {
	b, err := plain.Read(filepath.Join(d.path, deliveryName), maxDelivery)
	if errors.Is(err, os.ErrNotExist) {
		return delivery, false, nil
	}
	if err != nil {
		return delivery, false, fmt.Errorf("%s %w", deliveryName, err)
	}
	if err := json.Unmarshal(b, &delivery); err != nil {
		return delivery, false, fmt.Errorf("%s: %w", deliveryName, err)
	}
	return delivery, true, nil
}

// remove removes the folder, the delivery first: it is not offered again even
// where the rest cannot go.
func (d *runDir) remove() {
	_ = os.Remove(filepath.Join(d.path, deliveryName))
	if os.RemoveAll(d.path) == nil {
		return
	}
	// Build tools leave folders that may not be written, Go's module cache is one.
	_ = filepath.WalkDir(d.path, func(path string, e fs.DirEntry, _ error) error {
		if e != nil && e.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	_ = os.RemoveAll(d.path)
}
