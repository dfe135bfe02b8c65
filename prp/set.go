package prp

import (
	"fmt"
	"slices"
	"strings"
)

// Set is documents that are looked at together: what one says of another can
// only be judged over all of them. The zero value is empty.
type Set struct {
	members []member
}

type member struct {
	name string
	id   string // the document's, else the slug of its name
	doc  Document
}

// Add puts a document into the set; name is its file name.
func (s *Set) Add(name string, d Document) {
	id := d.ID
	if id == "" {
		id = Slug(name)
	}
	s.members = append(s.members, member{name: name, id: id, doc: d})
}

// Findings says what is wrong between the documents, by file name: ids that two
// of them have, dependencies on nobody, circles.
func (s *Set) Findings() map[string][]Finding {
	out := map[string][]Finding{}
	byID := map[string]int{} // folded id or file name -> its first member
	for i, m := range s.members {
		if first, twice := byID[strings.ToLower(m.id)]; twice {
			out[m.name] = append(out[m.name], finding("id-twice", 0, fmt.Sprintf("%s has the id %s too", s.members[first].name, m.id)))
			continue
		}
		byID[strings.ToLower(m.id)] = i
	}
	for i, m := range s.members {
		if stem := strings.ToLower(stemOf(m.name)); stem != "" {
			if _, taken := byID[stem]; !taken {
				byID[stem] = i
			}
		}
	}
	edges := make([][]int, len(s.members))
	for i, m := range s.members {
		for _, token := range m.doc.DependsOn {
			if to, known := byID[strings.ToLower(token)]; known {
				edges[i] = append(edges[i], to)
				continue
			}
			if len(s.members) == 1 {
				continue // nobody can tell
			}
			out[m.name] = append(out[m.name], finding("dependency-unknown", 0, fmt.Sprintf("it depends on %s, which none of these documents is", token)))
		}
	}
	for _, circle := range circles(edges) {
		text := "it waits for itself: " + s.spell(circle)
		for _, i := range circle {
			name := s.members[i].name
			out[name] = append(out[name], finding("dependency-cycle", 0, text))
		}
	}
	return out
}

// spelled is how many ids of a circle are written out.
const spelled = 20

// spell writes a circle from a document back to itself, a long one without its middle.
func (s *Set) spell(circle []int) string {
	ids := make([]string, 0, spelled+2)
	for at, i := range circle {
		switch {
		case len(circle) <= spelled, at < spelled-1, at == len(circle)-1:
			ids = append(ids, s.members[i].id)
		case at == spelled-1:
			ids = append(ids, fmt.Sprintf("… %d more …", len(circle)-spelled))
		}
	}
	return strings.Join(append(ids, s.members[circle[0]].id), " -> ")
}

// circles finds the circles that a walk along the edges meets, each once, from
// its smallest member on. The path is kept in a slice: ten thousand documents
// in a row are no depth of calls.
func circles(edges [][]int) [][]int {
	const unseen, onPath, done = 0, 1, 2
	type step struct{ node, next int }
	state, place := make([]int, len(edges)), make([]int, len(edges))
	var found [][]int
	for from := range edges {
		if state[from] != unseen {
			continue
		}
		path := []step{{node: from}}
		state[from] = onPath
		for len(path) > 0 {
			top := &path[len(path)-1]
			if top.next == len(edges[top.node]) {
				state[top.node] = done
				path = path[:len(path)-1]
				continue
			}
			to := edges[top.node][top.next]
			top.next++
			switch state[to] {
			case unseen:
				state[to], place[to] = onPath, len(path)
				path = append(path, step{node: to})
			case onPath:
				var circle []int
				for _, s := range path[place[to]:] {
					circle = append(circle, s.node)
				}
				low := slices.Index(circle, slices.Min(circle))
				found = append(found, append(slices.Clone(circle[low:]), circle[:low]...))
			}
		}
	}
	return found
}
