package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/prpflow/prpflow/prp"
)

// readDocument reads a file that may be too large or no file at all.
func readDocument(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, usagef("%v", err)
	}
	if !info.Mode().IsRegular() {
		return nil, usagef("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef("%v", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, prp.MaxSize+1))
	if err != nil {
		return nil, usagef("%v", err)
	}
	return text, nil
}

// document is a file that was named, or found in a folder that was.
type document struct {
	path     string
	inFolder bool
}

// documents lists the files that the arguments of a verb name.
func documents(args []string) ([]document, error) {
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
		files, err := inFolder(arg)
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
func inFolder(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case !d.IsDir() && strings.EqualFold(filepath.Ext(path), ".md"):
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				return nil // a link to a folder
			}
			files = append(files, path)
		}
		return nil
	})
	return files, err
}
