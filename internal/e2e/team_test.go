package e2e

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rejectFirst is a validator that rejects each PRP once.
const rejectFirst = `if [ ! -e "$STATE/rejected-$PRPFLOW_PRP_ID" ]; then : >"$STATE/rejected-$PRPFLOW_PRP_ID"; ` +
	`answer '{"outcome":"rejected","reasons":["criterion 2 has no test"]}'; exit 0; fi`

// keepPapers has an agent copy what it was given, for the test to read.
const keepPapers = `cp "$PRPFLOW_TASK_FILE" "$STATE/papers/$PRPFLOW_TASK_ID.json"; env >"$STATE/papers/$PRPFLOW_TASK_ID.env"; ` +
	`cp "$(sed -n 's/.*"document_path": *"\([^"]*\)".*/\1/p' "$PRPFLOW_TASK_FILE" | head -n 1)" "$STATE/papers/$PRPFLOW_TASK_ID.md"`

var team = []member{"orchestrator:orchestrator", "dev-1:developer", "dev-2:developer", "validator:validator", "integrator:integrator"}

// Two developers are kept busy by seven PRPs, so that "back to the same one"
// cannot hold by luck.
func TestRejectedWorkGoesBackToItsDeveloper(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("do-validator", rejectFirst)
	_, url := w.serve("serve", "--agents", w.agentsFile("team", 1, team...))
	_, before := w.get(url + "/metrics")
	var ids []string
	for i := range 7 {
		ids = append(ids, fmt.Sprintf("PRP-%d", 101+i))
		w.doc("batch", ids[i])
	}
	w.want(0, "submit", w.path("batch"))
	developers := map[string]bool{}
	for _, id := range ids {
		w.reaches(id, "complete")
		h := w.history(id)
		h.isExactly("validate", "assign", "start", "submit", "reject", "submit", "approve", "finish")
		rejected := h.only("reject")
		if rejected.Actor != "validator" || !strings.Contains(rejected.Reason, "criterion 2 has no test") {
			t.Errorf("%s: rejected by %q because of %q", id, rejected.Actor, rejected.Reason)
		}
		twice := h.of("submit")
		if len(twice) != 2 {
			continue
		}
		if twice[0].Actor != twice[1].Actor {
			t.Errorf("%s was rejected, and went from %s to %s", id, twice[0].Actor, twice[1].Actor)
		}
		if twice[0].Job == "" || twice[0].Job == twice[1].Job {
			t.Errorf("%s: two results of the jobs %q and %q", id, twice[0].Job, twice[1].Job)
		}
		if twice[0].Evidence["coverage_pct"] != 91.0 {
			t.Errorf("%s: the evidence is not in the history: %v", id, twice[0].Evidence)
		}
		developers[twice[0].Actor] = true
	}
	if len(developers) != 2 {
		t.Errorf("seven PRPs went to %v, want both developers", developers)
	}
	w.boardsShowTheWork(url, before)
}

// boardsShowTheWork looks at Asynq's queues, asynqmon and the metrics.
func (w *world) boardsShowTheWork(url, before string) {
	w.t.Helper()
	queues, err := w.redis.Client().SMembers(w.t.Context(), "asynq:queues").Result()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range team {
		name, _, _ := strings.Cut(string(m), ":")
		if !slices.Contains(queues, "agent:"+name) {
			w.t.Errorf("Asynq does not know the queue agent:%s: %v", name, queues)
		}
	}
	if code, page := w.get(url + "/asynqmon/"); code != 200 || !strings.Contains(strings.ToLower(page), "asynq") {
		w.t.Errorf("/asynqmon/ answers %d", code)
	}
	if code, body := w.get(url + "/asynqmon/api/redis_info"); code != 200 || !strings.Contains(body, "redis_version") {
		w.t.Errorf("asynqmon's page about Redis answers %d: %.200s", code, body)
	}
	var mon struct {
		Queues []struct {
			Queue     string `json:"queue"`
			Processed int    `json:"processed"`
		} `json:"queues"`
	}
	_, body := w.get(url + "/asynqmon/api/queues")
	w.decode(body, &mon)
	validated := 0
	for _, q := range mon.Queues {
		if strings.HasPrefix(q.Queue, "agent:validator") {
			validated += q.Processed
		}
	}
	if validated < 14 {
		w.t.Errorf("asynqmon shows %d processed tasks of the validator, want 14 or more", validated)
	}
	_, after := w.get(url + "/metrics")
	if series(after) == "" || series(after) == series(before) {
		w.t.Errorf("work does not change the metrics of prpflow:\n%s", series(after))
	}
}

// series picks our own lines out of a metrics page.
func series(page string) string {
	var own []string
	for s := bufio.NewScanner(strings.NewReader(page)); s.Scan(); {
		if strings.HasPrefix(s.Text(), "prpflow_") {
			own = append(own, s.Text())
		}
	}
	slices.Sort(own)
	return strings.Join(own, "\n")
}

// taskFile is what an agent reads.
type taskFile struct {
	TaskID  string `json:"task_id"`
	Type    string `json:"type"`
	Attempt int    `json:"attempt"`
	Fence   int64  `json:"fence"`
	PRP     struct {
		ID       string            `json:"id"`
		Title    string            `json:"title"`
		SHA256   string            `json:"sha256"`
		Criteria []json.RawMessage `json:"criteria"`
	} `json:"prp"`
	Reasons    []string `json:"reasons"`
	ResultFile string   `json:"result_file"`
}

func TestTaskFileAgreesWithDocumentAndEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("papers/.keep", "")
	w.write("do-developer", keepPapers)
	w.write("do-validator", keepPapers+"\n"+rejectFirst)
	w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...))
	source, err := filepath.Abs("testdata/eight-criteria.md")
	if err != nil {
		t.Fatal(err)
	}
	if a := w.runFor(soon, "submit", source, "--wait"); a.code != 0 {
		t.Fatalf("submit --wait: exit %d\n%s%s\n%s", a.code, a.out, a.errout, w.logs())
	}
	if s := w.show("PRP-4108"); s.State != "complete" || s.Priority != "P0" {
		t.Errorf("PRP-4108 is %s with priority %q", s.State, s.Priority)
	}
	papers, err := filepath.Glob(w.path("papers/*.json"))
	if err != nil || len(papers) != 4 {
		t.Fatalf("%d task files, want 4 (development and validation, twice): %v", len(papers), err)
	}
	document, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	reasoned := 0
	for _, paper := range papers {
		name := "papers/" + strings.TrimSuffix(filepath.Base(paper), ".json")
		var f taskFile
		w.decode(w.read(name+".json"), &f)
		w.agrees(f, w.read(name+".env"))
		sum := sha256.Sum256(document)
		if w.read(name+".md") != string(document) || f.PRP.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: the document is not the one that was submitted", f.TaskID)
		}
		if f.Type == "prp.develop" && f.Attempt == 2 && slices.Contains(f.Reasons, "criterion 2 has no test") {
			reasoned++
		}
	}
	if reasoned != 1 {
		t.Errorf("%d development tasks of attempt 2 carry the validator's reason, want 1", reasoned)
	}
}

// agrees compares a task file with the environment of the same run.
func (w *world) agrees(f taskFile, environ string) {
	w.t.Helper()
	if f.PRP.ID != "PRP-4108" || f.PRP.Title == "" || len(f.PRP.Criteria) < 8 {
		w.t.Errorf("%s: the task file's prp is %+v, want PRP-4108 with 8 criteria", f.TaskID, f.PRP)
	}
	for _, line := range []string{
		"PRPFLOW_TASK_ID=" + f.TaskID, "PRPFLOW_PRP_ID=" + f.PRP.ID, "PRPFLOW_RESULT_FILE=" + f.ResultFile,
		fmt.Sprintf("PRPFLOW_FENCE=%d", f.Fence), fmt.Sprintf("PRPFLOW_ATTEMPT=%d", f.Attempt),
	} {
		if !slices.Contains(strings.Split(environ, "\n"), line) {
			w.t.Errorf("%s: the environment has not %s", f.TaskID, line)
		}
	}
}
