package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/prpflow/prpflow/internal/plain"
	"github.com/prpflow/prpflow/prp"
)

// readDocument reads a file that may be too large or no file at all.
func readDocument(path string) ([]byte, error) {
	text, err := plain.Named(path, prp.MaxSize)
	if err != nil {
		return nil, usagef("%s %v", path, err)
	}
	return text, nil
}

// document is a file that was named, or found in a folder that was.
type document struct {
	path     string
	inFolder bool
}

// documents lists the files that the arguments of a verb name. What is in a folder and
// leads nowhere, as an editor's lock does, is passed over with a line.
func documents(args []string, passed func(path, why string)) ([]document, error) {
	var all []document
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, usagef("%v", err)
		}
		if !info.IsDir() {
			all = append(all, document{path: arg})
			continue
		}
		files, err := inFolder(arg, passed)
		if err != nil {
			return nil, usagef("%v", err)
		}
		for _, f := range files {
			all = append(all, document{path: f, inFolder: true})
		}
	}
	return all, nil
}

// inFolder lists the markdown files of a folder, in order. Hidden folders are
// left out, links to folders are not followed.
func inFolder(dir string, passed func(path, why string)) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return err
		case err != nil:
			passed(path, rootCause(err).Error())
			return nil
		case d.IsDir() && path != dir && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.IsDir() && strings.EqualFold(filepath.Ext(path), ".md"):
			info, err := os.Stat(path)
			switch {
			case err != nil:
				passed(path, "it is a link to nowhere")
				return nil
			case info.IsDir(): // a link to one
				return nil
			case !info.Mode().IsRegular():
				passed(path, "it is no regular file")
				return nil
			}
			files = append(files, path)
		}
		return nil
	})
	return files, err
}
