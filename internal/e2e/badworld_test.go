package e2e

import (
	"net"
	"os"
	"strings"
	"syscall"
)

// furnish lays out what the rows speak of: PRPs in several states, a message, and
// files that are none.
func (w *world) furnish() {
	w.t.Helper()
	w.submit("PRP-1")
	w.want(0, "cancel", "PRP-1")
	w.submit("PRP-2")
	w.write("PRP-3.md", unfit)
	w.want(4, "submit", w.path("PRP-3.md"))
	w.want(0, "send", "dev-1", "hello", "--id", "m-1")

	w.write("circle/PRP-7.md", docText("PRP-7", "PRP-8"))
	w.write("circle/PRP-8.md", docText("PRP-8", "PRP-7"))
	w.write("notes/shopping.md", "milk, bread\n")
	w.write("bare/readme.txt", "nothing\n")
	w.write("latin1.md", "# PRP-9 - caf\xe9\n")
	w.write("nul.md", "# PRP-9 - a\x00b\n")
	w.write("utf16.md", "\xff\xfe#\x00 \x00P\x00R\x00P\x00")
	w.write("binary", "\x7fELF\x02\x01\x01\x00\x00\xff\xfe")
	w.write("big.md", "# PRP-9 - Big\n"+strings.Repeat("more and more words\n", 1<<16))
	w.write("message.txt", strings.Repeat("too long ", 1<<19))
	w.write("empty.md", "")
	w.write("blank.md", " \n\t\n  \n")
	w.write("brackets.yaml", strings.Repeat("[", 40_000))
	w.write("braces.yaml", strings.Repeat("{a: ", 40_000))
	w.write("laughs.yaml", laughs)
	w.write("circle.yaml", "agents: &a [*a]\n")
	w.write("good.yaml", "agents:\n  - {name: dev-1, role: developer, builtin: approve}\n")
	w.write("tokens/empty", "")
	for name, target := range map[string]string{"nowhere.md": "gone.md", "round.md": "about.md", "about.md": "round.md", "self.md": "self.md"} {
		w.may(os.Symlink(target, w.path(name)))
	}
	w.may(syscall.Mkfifo(w.path("fifo.md"), 0o644))
	socket, err := net.Listen("unix", w.path("socket.md"))
	w.may(err)
	w.t.Cleanup(func() { _ = socket.Close() })
	w.write("locked.md", "# PRP-9 - Locked\n")
	w.may(os.Chmod(w.path("locked.md"), 0))
	w.may(os.Mkdir(w.path("locked"), 0))
	w.t.Cleanup(func() { _ = os.Chmod(w.path("locked"), 0o755) })
}

func (w *world) may(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// unfit is a document that the lint refuses.
const unfit = "# PRP-3 - No criterion\n**Priority**: P2\n\n## Goal\nNobody can say when it is done.\n"

// laughs is a file whose aliases name nine to the ninth power of words.
var laughs = func() string {
	var b strings.Builder
	b.WriteString("a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n")
	for c := 'b'; c <= 'j'; c++ {
		below := ", *" + string(c-1)
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.Repeat(below, 9)[2:] + "]\n")
	}
	b.WriteString("agents: *j\n")
	return b.String()
}()
