package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/prpflow/prpflow"

// listed is what go list tells of a package, its test files left out.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// name is the package's path within the module.
func (l listed) name() string { return strings.TrimPrefix(l.ImportPath, module+"/") }

// ours lists what it imports of this module.
func (l listed) ours() []string {
	var names []string
	for _, path := range l.Imports {
		if name, ok := strings.CutPrefix(path, module+"/"); ok {
			names = append(names, name)
		}
	}
	return names
}

var list = sync.OnceValues(func() ([]listed, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, errors.New("go list: " + string(exit.Stderr))
		}
		return nil, err
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
})

func packages(t *testing.T) []listed {
	t.Helper()
	all, err := list()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// allowed is the table with the imports of imports.
func allowed(pkg string) (may map[string]bool, known bool) {
	i := slices.IndexFunc(table, func(r row) bool { return r.pkg == pkg })
	if i < 0 {
		return nil, false
	}
	may = map[string]bool{}
	for _, m := range table[i].may {
		may[m] = true
		further, _ := allowed(m)
		for f := range further {
			may[f] = true
		}
	}
	return may, true
}

func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		may, known := allowed(p.name())
		if !known {
			t.Errorf("package %s has no row in the import table", p.name())
			continue
		}
		for _, imported := range p.ours() {
			if !may[imported] && !may[everything] {
				t.Errorf("%s imports %s, which the import table does not allow", p.name(), imported)
			}
		}
	}
}

func TestPurePackagesReachNoRedisClient(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		if !slices.Contains(pure, p.name()) {
			continue
		}
		for _, dep := range p.Deps {
			if slices.ContainsFunc(clients, func(c string) bool { return strings.HasPrefix(dep, c) }) {
				t.Errorf("%s is pure, but reaches %s", p.name(), dep)
			}
		}
	}
}

func TestNobodyImportsTheProgram(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, imported := range p.ours() {
			if slices.Contains(lonely, imported) {
				t.Errorf("%s imports %s", p.name(), imported)
			}
		}
	}
}

func TestTableHasNoCycle(t *testing.T) {
	t.Parallel()
	var walk func(pkg string, path []string)
	walk = func(pkg string, path []string) {
		if slices.Contains(path, pkg) {
			t.Fatalf("the table goes in a circle: %s", strings.Join(append(path, pkg), " -> "))
		}
		for _, r := range table {
			if r.pkg == pkg {
				for _, m := range r.may {
					walk(m, append(path, pkg))
				}
			}
		}
	}
	for _, r := range table {
		walk(r.pkg, nil)
	}
}
