package prp

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// hardTexts are texts of a given size that make a careless reader go over the
// same lines again and again.
var hardTexts = map[string]struct{ before, unit, after string }{
	"headings":            {"", "# x\n", ""},
	"one header":          {"# T\n## A\n", "### x\n", ""},
	"fences":              {"", "```\n", ""},
	"sections of a block": {"# T\n", "### x\n```\na\n```\n", ""},
	"bold sections":       {"# T\n", "**x**\n```\na\n```\n", ""},
	"announcements":       {"# T\n", "## dod\n**dod**\n", ""},
	"a long criterion":    {"# T\n## Success Criteria\n- a\n", "  b\n", ""},
	"a long command":      {"# T\n## Validation\n```bash\n", "x \\\n", "\n```\n"},
	"ids on a line":       {"# T\n**Dependencies**: ", "A-%d.", ""},
	"ids in a list":       {"# T\n**Dependencies**: [", "A-%d,", "]\n"},
	"tags":                {"# ", "[A] ", "\n"},
	"ids in a title":      {"# ", "PRP-1 ", "\n"},
	"comments":            {"", "<!-- --><!-- ", ""},
	"closers":             {"<!-- x", "` <!-- ", " --> <!-- "},
	"quotes":              {"", ">", ""},
	"lists":               {"", "- ", ""},
	"keys":                {"---\n", "k%d: b\n", "---\n# T\n"},
	"one key":             {"---\n", "id:\n", "---\n# T\n"},
	"brackets":            {"---\ndepends_on: ", "[", "\n---\n# T\n"},
	"blocks in YAML":      {"---\ndepends_on:\n", "- ", "\n---\n# T\n"},
	"rules":               {"a\n", "a\n\n---\n", ""},
}

func hard(name string, size int) []byte {
	c := hardTexts[name]
	var b strings.Builder
	b.WriteString(c.before)
	for i := 0; b.Len() < size-len(c.after)-16; i++ {
		if strings.Contains(c.unit, "%d") {
			fmt.Fprintf(&b, c.unit, i)
		} else {
			b.WriteString(c.unit)
		}
	}
	b.WriteString(c.after)
	return []byte(b.String())
}

// Memory is counted, not time, which says little on a busy machine. Four times
// the text takes four times as much; texts that are copied line by line into
// longer ones take sixteen times. The test runs before the parallel ones, so
// that it counts its own.
func TestHardTextsTakeMemoryInProportion(t *testing.T) {
	for name := range hardTexts {
		took := func(size int) uint64 {
			text := hard(name, size)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := Parse("x.md", text); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			return after.TotalAlloc - before.TotalAlloc
		}
		small, large := took(MaxSize/64), took(MaxSize/16)
		if large > 8*small+MaxSize/2 {
			t.Errorf("%s: %d bytes for 16 KiB, %d for 64 KiB", name, small, large)
		}
	}
}

// What is asked of a heading goes up from parent to parent. Levels fall on the
// way, so it is a few steps, however many headings there are.
func TestNoHeadingIsMoreThanSevenDeep(t *testing.T) {
	t.Parallel()
	for name := range hardTexts {
		p := parser{doc: &Document{}}
		p.scan(hard(name, MaxSize/64))
		for i, h := range p.heads {
			if h.parent >= i || h.parent >= 0 && p.heads[h.parent].level >= h.level || h.end <= h.line || h.end > len(p.lines) {
				t.Fatalf("%s: heading %d: %+v", name, i, h)
			}
		}
	}
}

// BenchmarkParse shows the time of a document of the largest size.
func BenchmarkParse(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(hardTexts)) {
		text := hard(name, MaxSize)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := Parse("x.md", text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
