package dashboards

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"
)

// A rule about a metric that does not exist never fires.
func TestRulesNameMetricsThatExist(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("prometheus-alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(source, &file); err != nil {
		t.Fatal(err)
	}
	known := make(chan *prometheus.Desc, 100)
	newCollector(Config{}).Describe(known)
	close(known)
	var all strings.Builder
	for d := range known {
		all.WriteString(d.String())
	}
	rules := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			rules++
			names := regexp.MustCompile(`prpflow_[a-z_]+`).FindAllString(r.Expr, -1)
			if r.Alert == "" || len(names) == 0 || r.Annotations["summary"] == "" {
				t.Errorf("rule %+v is incomplete", r)
			}
			for _, name := range names {
				if !strings.Contains(all.String(), `"`+name+`"`) {
					t.Errorf("%s: there is no metric %s", r.Alert, name)
				}
			}
		}
	}
	if rules == 0 {
		t.Error("no rules")
	}
}
