package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository as this package's tests see it.
const root = "../.."

// hidden folders that are part of the project all the same.
var hidden = map[string]bool{".": true, ".ci": true, ".github": true}

// files reads the tree, without what git, builds and servers left in it.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "bin" || strings.HasPrefix(d.Name(), ".") && !hidden[d.Name()]):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		all[name], err = os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryPackageHasOneComment(t *testing.T) {
	t.Parallel()
	comments := map[string][]string{} // folder -> files that carry one
	for name, source := range files(t) {
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata/") {
			continue
		}
		dir := path.Dir(name)
		if _, seen := comments[dir]; !seen {
			comments[dir] = nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			continue
		}
		if says(file.Doc) {
			comments[dir] = append(comments[dir], name)
		}
	}
	for dir, carriers := range comments {
		if len(carriers) != 1 {
			t.Errorf("%s has %d package comments, want one: %v", dir, len(carriers), carriers)
		}
	}
}

// says tells a comment from a mere directive.
func says(doc *ast.CommentGroup) bool { return doc != nil && strings.TrimSpace(doc.Text()) != "" }

func TestEveryGoFileIsOneIdea(t *testing.T) {
	t.Parallel()
	const most = 400
	for name, source := range files(t) {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		lines := bytes.Count(source, []byte("\n"))
		switch reason, listed := long[name]; {
		case lines > most && !listed:
			t.Errorf("%s has %d lines; split it, or list it with a reason", name, lines)
		case listed && reason == "":
			t.Errorf("%s is listed as long without a reason", name)
		case listed && lines <= most:
			t.Errorf("%s is listed as long, but has %d lines", name, lines)
		}
	}
}

// A script tells its reader in its first lines what it does: a shell or Python
// script below #!, a Lua script in the header that package lua also checks.
func TestEveryScriptSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	for name, source := range files(t) {
		first, rest, _ := strings.Cut(string(source), "\n")
		switch {
		case strings.HasSuffix(name, ".lua"):
			if !strings.HasPrefix(first, "-- ") {
				t.Errorf("%s does not start with what it does", name)
			}
		case strings.HasPrefix(first, "#!"):
			if !strings.HasPrefix(rest, "# ") && !strings.HasPrefix(rest, `"""`) {
				t.Errorf("%s does not say below its first line what it does", name)
			}
		}
	}
}

func TestNoFileNamesAPathOfSomebodysMachine(t *testing.T) {
	t.Parallel()
	// In pieces, or this file would be the first to offend.
	home := regexp.MustCompile(`(^|[\s"'` + "`" + `=:(])/(` + strings.Join([]string{"root", "work", "farm", "home/[a-z]", "Users"}, "|") + `)(/|\b)`)
	for name, source := range files(t) {
		if bytes.IndexByte(source, 0) >= 0 { // a picture, or a corpus of odd bytes
			continue
		}
		if hit := home.Find(source); hit != nil {
			t.Errorf("%s names %q, a path of somebody's machine", name, strings.TrimSpace(string(hit)))
		}
	}
}

// link is what a markdown document points to within the tree.
var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	for name, source := range files(t) {
		if !strings.HasSuffix(name, ".md") || strings.Contains(name, "testdata/") {
			continue
		}
		for _, m := range link.FindAllSubmatch(source, -1) {
			target := path.Join(path.Dir(name), string(m[1]))
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s points to %s, which is not there", name, m[1])
			}
		}
	}
}
