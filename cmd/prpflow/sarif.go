package main

import (
	"path/filepath"

	"github.com/prpflow/prpflow/prp"
)

// SARIF 2.1.0, as far as findings in files need it: editors and CI systems read
// it. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Help  sarifText `json:"help"`
		Level struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifResult struct {
		Rule      string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				Line int `json:"startLine"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
)

// unreadableRule is that of a file that is no document at all.
const unreadableRule = "unreadable"

// sarif writes the findings of all files.
func sarif(all []linted) sarifLog {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver.Name = "prpflow"
	for _, r := range append(prp.Rules(), prp.Rule{Name: unreadableRule, Error: true, Why: "What cannot be read cannot be handed in.", Mend: "Save it as a text in UTF-8 of at most 1 MiB."}) {
		rule := sarifRule{ID: r.Name, Short: sarifText{r.Why}, Help: sarifText{r.Mend}}
		rule.Level.Level = severity(r.Error)
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	add := func(file string, f prp.Finding) {
		var at sarifLocation
		at.Physical.Artifact.URI = filepath.ToSlash(file)
		at.Physical.Region.Line = max(f.Line, 1)
		text := f.Message
		if f.Mend != "" {
			text += ". " + f.Mend
		}
		run.Results = append(run.Results, sarifResult{Rule: f.Rule, Level: severity(f.Error), Message: sarifText{text}, Locations: []sarifLocation{at}})
	}
	for _, l := range all {
		if l.Error != "" {
			add(l.File, prp.Finding{Rule: unreadableRule, Message: l.Error, Error: true})
		}
		for _, f := range l.Findings {
			add(l.File, f)
		}
	}
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

func severity(isError bool) string {
	if isError {
		return "error"
	}
	return "warning"
}
