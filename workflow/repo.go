package workflow

import (
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/prpflow/prpflow/tasks"
)

// scpLike is git's short form of a remote, git@host:path.
var scpLike = regexp.MustCompile(`^([A-Za-z0-9._-]+@)?([A-Za-z0-9.-]+):([^/].*)$`)

// CanonicalRepo spells a repository in one way, so that it has one merge lease:
// a path without detours, a URL without user, ".git" and trailing slash.
func CanonicalRepo(repo string) string {
	repo = strings.TrimSpace(repo)
	if repo == "" {
		return ""
	}
	if file, is := strings.CutPrefix(repo, "file://"); is {
		return path.Clean(file)
	}
	if u, err := url.Parse(repo); err == nil && u.Host != "" {
		host := strings.ToLower(u.Host)
		for _, port := range []string{":22", ":80", ":443"} { // the usual ones go without saying
			host = strings.TrimSuffix(host, port)
		}
		return host + "/" + trimRepo(u.Path)
	}
	if m := scpLike.FindStringSubmatch(repo); m != nil {
		return strings.ToLower(m[2]) + "/" + trimRepo(m[3])
	}
	return path.Clean(repo)
}

func trimRepo(p string) string {
	return strings.TrimSuffix(strings.Trim(path.Clean("/"+p), "/"), ".git")
}

// parseMember takes the name of a member of a lease apart: that of a job, or, as
// schema 1 had it, <prp>:<fence>.
func parseMember(member string) (prp string, fence int64, err error) {
	if prp, fence, err = tasks.ParseJobID(member); err == nil {
		return prp, fence, nil
	}
	return tasks.ParseJobID(member + ":-")
}
