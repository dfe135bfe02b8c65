package redisconn

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/internal/redistest"
)

// rules are those of the findings, with their severity.
func rules(found []Finding) []string {
	set := map[string]bool{}
	for _, f := range found {
		set[f.Rule+" "+string(f.Severity)] = true
	}
	return slices.Sorted(maps.Keys(set))
}

func TestWhatIsOddAboutARedisIsFoundAndHasAFix(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  map[string]string
		want []string
	}{
		"as it should be":        {map[string]string{"appendonly": "yes"}, []string{"replicas note"}},
		"no file":                {map[string]string{"appendonly": "no"}, []string{"persistence warning", "replicas note"}},
		"snapshots":              {map[string]string{"appendonly": "no", "save": "3600 1"}, []string{"persistence warning", "replicas note"}},
		"a file at some time":    {map[string]string{"appendonly": "yes", "appendfsync": "no"}, []string{"persistence warning", "replicas note"}},
		"evicts":                 {map[string]string{"appendonly": "yes", "maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}, []string{"eviction severe", "replicas note"}},
		"would evict":            {map[string]string{"appendonly": "yes", "maxmemory-policy": "allkeys-lfu"}, []string{"eviction warning", "replicas note"}},
		"evicts what may expire": {map[string]string{"appendonly": "yes", "maxmemory": "100mb", "maxmemory-policy": "volatile-ttl"}, []string{"eviction warning", "replicas note"}},
		"nearly full":            {map[string]string{"appendonly": "yes", "maxmemory": "1100000"}, []string{"memory warning", "replicas note"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := redistest.Server(t)
			rdb := r.Client()
			for _, key := range slices.Sorted(maps.Keys(c.set)) {
				must(t, rdb.ConfigSet(t.Context(), key, c.set[key]).Err())
			}
			found, err := Examine(t.Context(), rdb)
			if err != nil || !slices.Equal(rules(found), c.want) {
				t.Errorf("found %+v, %v, want %q", found, err, c.want)
			}
			for _, f := range found {
				if f.Fix == "" || f.What == "" {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

func TestWhatMayNotBeSeenIsANote(t *testing.T) {
	t.Parallel()
	r := redistest.Server(t, "--appendonly", "no")
	must(t, r.Client().Do(t.Context(), "ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all", "-config", "-info").Err())
	found, err := Examine(t.Context(), open(t, "redis://app:pw@"+r.Addr, Options{}))
	if err != nil || !slices.Equal(rules(found), []string{"unseen note"}) {
		t.Errorf("found %+v, %v", found, err)
	}
	must(t, r.Client().Do(t.Context(), "ACL", "SETUSER", "app", "+info").Err())
	found, err = Examine(t.Context(), open(t, "redis://app:pw@"+r.Addr, Options{}))
	if err != nil || !slices.Contains(rules(found), "unseen note") || !slices.Contains(rules(found), "persistence warning") {
		t.Errorf("found %+v, %v", found, err)
	}
	r.Kill()
	if _, err := Examine(t.Context(), open(t, "redis://"+r.Addr, Options{})); !IsUnavailable(err) {
		t.Errorf("of one that is unreachable: %v", err)
	}
}

func TestEachMasterOfAClusterIsLookedAt(t *testing.T) {
	t.Parallel()
	addrs := redistest.ClusterAddrs(t)
	found, err := Examine(t.Context(), open(t, "redis-cluster://"+strings.Join(addrs, ","), Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range addrs {
		if !slices.ContainsFunc(found, func(f Finding) bool { return strings.HasPrefix(f.What, addr+": ") && f.Rule == "persistence" }) {
			t.Errorf("nothing is said of %s: %+v", addr, found)
		}
	}
}
