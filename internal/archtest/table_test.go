package archtest

// row is one line of the import table: what the non-test files of a package may
// import of this module. A package may also import what its imports may.
type row struct {
	pkg string
	may []string
}

// everything in a row's may lifts the bound: the program ties all together.
const everything = "*"

// table is the whole rule. A package without a row fails the test, so that a new
// room is a decision and not an accident.
var table = []row{
	{"cmd/prpflow", []string{everything}},

	// Pure: they decide and describe, and know nothing of the outside.
	{"fsm", nil},
	{"prp", nil},
	{"tasks", nil},
	{"workflow", []string{"fsm", "tasks", "prp"}},
	{"workflow/memstore", []string{"workflow"}},
	{"workflow/storetest", []string{"workflow"}},
	{"workflow/engine", []string{"workflow"}},
	{"workflow/sweep", []string{"workflow/engine"}},
	{"workflow/simtest", []string{"workflow/sweep", "workflow/memstore", "workflow/relay"}},
	{"workflow/internal/office", []string{"workflow/sweep", "workflow/memstore", "workflow/relay"}},

	// Adapters to Redis.
	{"bus", nil},
	{"reliable", []string{"internal/lua"}},
	{"reliable/spool", []string{"reliable"}},
	{"tasks/broker", []string{"tasks", "internal/lua", "internal/redisconn"}},
	{"workflow/redisstore", []string{"workflow", "reliable", "internal/lua"}},
	{"workflow/relay", []string{"workflow", "tasks/broker", "reliable", "bus"}},

	// What agents live in.
	{"agents", []string{"tasks", "reliable", "bus", "agents/internal/proc", "internal/plain"}},
	{"agents/exec", []string{"agents"}},
	{"agents/tmux", []string{"agents"}},
	{"agents/registry", []string{"agents", "internal/lua"}},
	{"agents/mode", []string{"reliable"}},
	{"agents/scale", []string{"tasks"}},
	{"agents/inbox", []string{"reliable", "bus"}},
	{"agents/internal/proc", nil},

	// Doors and windows.
	{"api", []string{"workflow", "tasks/broker", "reliable", "agents/registry"}},
	{"dashboards", []string{"workflow", "tasks/broker", "reliable", "agents/registry", "agents/inbox", "agents/mode", "agents/scale", "internal/access"}},

	{"internal/access", nil},
	{"internal/lua", nil},
	{"internal/plain", nil},
	{"internal/redisconn", []string{"internal/plain"}},
	{"internal/config", []string{"internal/redisconn", "internal/plain", "internal/access"}},
	{"internal/mortal", nil},
	{"internal/redistest", []string{"internal/mortal"}},
	{"internal/archtest", nil},
	{"internal/e2e", nil},
}

// pure packages reach no Redis client, not even through others.
var pure = []string{"fsm", "prp", "tasks", "workflow", "workflow/engine", "workflow/sweep"}

// clients are the module paths that count as a Redis client.
var clients = []string{"github.com/redis/", "github.com/hibiken/", "github.com/alicebob/", "github.com/gomodule/redigo"}

// lonely packages are imported by no other one.
var lonely = []string{"cmd/prpflow", "internal/archtest", "internal/e2e"}

// long lists the files that may have more than 400 lines, each with its reason.
var long = map[string]string{}
