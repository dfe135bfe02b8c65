package lua

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }

const add = `-- Adds to a counter that is below its limit.
-- KEYS: 1 the counter
-- ARGS: 2 how much, the limit
-- RETURNS: the sum;
--   -1 ErrFull
local at = tonumber(redis.call('GET', KEYS[1]) or 0)
if at + ARGV[1] > tonumber(ARGV[2]) then -- 'no more'
  return -1
end
-- WRITES
return redis.call('INCRBY', KEYS[1], ARGV[1])
`

const sum = `-- Adds up what lies under some keys.
-- KEYS: 1+ the counters
-- ARGS: 0
-- RETURNS: the sum
local sum = 0
for _, key in ipairs(KEYS) do
  sum = sum + (redis.call('GET', key) or 0)
end
return sum
`

func load(source string) (*Script, error) {
	return Load(fstest.MapFS{"lua/it.lua": {Data: []byte(source)}}, "it")
}

func TestScriptsRunOnEveryBackend(t *testing.T) {
	t.Parallel()
	adding, err := load(add)
	if err != nil {
		t.Fatal(err)
	}
	summing, err := load(sum)
	if err != nil {
		t.Fatal(err)
	}
	if adding.Name() != "it" {
		t.Errorf("its name is %s", adding.Name())
	}
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		tag := "{" + redistest.Name("n") + "}"
		for i, want := range []int{2, 4, -1} {
			if got, err := adding.Run(t.Context(), rdb, []string{tag + "a"}, 2, 5).Int(); got != want || err != nil {
				t.Errorf("run %d: %d, %v, want %d", i, got, err, want)
			}
		}
		if got, err := summing.Run(t.Context(), rdb, []string{tag + "a", tag + "b", tag + "a"}).Int(); got != 8 || err != nil {
			t.Errorf("the sum is %d, %v", got, err)
		}
	})
}

// never is a server that must not be asked.
type never struct{ redis.Scripter }

func TestWhatTheHeaderDoesNotAllowIsNotSent(t *testing.T) {
	t.Parallel()
	adding, err := load(add)
	if err != nil {
		t.Fatal(err)
	}
	summing, err := load(sum)
	if err != nil {
		t.Fatal(err)
	}
	for want, run := range map[string]func(context.Context) *redis.Cmd{
		"run it: it takes 1 keys, not 2": func(ctx context.Context) *redis.Cmd {
			return adding.Run(ctx, never{}, []string{"a", "a"}, 1, 2)
		},
		"it takes 2 arguments, not 1": func(ctx context.Context) *redis.Cmd { return adding.Run(ctx, never{}, []string{"a"}, 1) },
		"it takes 2 arguments, not 3": func(ctx context.Context) *redis.Cmd { return adding.Run(ctx, never{}, []string{"a"}, 1, 2, 3) },
		"it takes 1 or more keys, not 0": func(ctx context.Context) *redis.Cmd {
			return summing.Run(ctx, never{}, nil)
		},
		"key 1 is empty": func(ctx context.Context) *redis.Cmd { return adding.Run(ctx, never{}, []string{""}, 1, 2) },
		"keys {a}1 and {b}1 are not under one hash tag": func(ctx context.Context) *redis.Cmd {
			return summing.Run(ctx, never{}, []string{"{a}1", "{a}2", "{b}1"})
		},
		"keys a{} and b{} are not under one hash tag": func(ctx context.Context) *redis.Cmd {
			return summing.Run(ctx, never{}, []string{"a{}", "b{}"})
		},
	} {
		if err := run(t.Context()).Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestLoadRefusesAHeaderThatIsNotTrue(t *testing.T) {
	t.Parallel()
	for want, change := range map[string][]string{
		"must be a comment of one sentence":               {"-- Adds to a counter that is below its limit.\n", ""},
		"one sentence, with its full stop":                {"its limit.", "its limit"},
		`no "-- KEYS: <number>"`:                          {"-- KEYS: 1", "-- KEYS: one"},
		`no "-- ARGS: <number>"`:                          {"-- ARGS: 2 how", "-- Args: 2 how"},
		`no "-- RETURNS:"`:                                {"-- RETURNS: the sum;\n--   -1 ErrFull\n", ""},
		"says ARGS twice":                                 {"-- ARGS: 2 how", "-- ARGS: 2\n-- ARGS: 2 how"},
		"value out of range":                              {"-- KEYS: 1", "-- KEYS: 99999999999999999999"},
		"it uses KEYS[2], but its header says 1":          {"INCRBY', KEYS[1]", "INCRBY', KEYS[2]"},
		"says 2, but the highest it uses is KEYS[1]":      {"-- KEYS: 1", "-- KEYS: 2"},
		"it uses ARGV[2], but its header says 1":          {"-- ARGS: 2", "-- ARGS: 1"},
		"says 3, but the highest it uses is ARGV[2]":      {"-- ARGS: 2", "-- ARGS: 3"},
		"says 2 or more, but it never walks ARGV":         {"-- ARGS: 2", "-- ARGS: 2+"},
		"ARGV[99999999999999999999]":                      {"ARGV[2]", "ARGV[99999999999999999999]"},
		`returns -1, which "-- RETURNS:" does not`:        {"-1 ErrFull", "-10 ErrFull"},
		"calls INCRBY, which is not known":                {"-- WRITES\n", ""},
		"calls SET, which is not known to only read":      {"redis.call('GET', KEYS[1])", `redis.pcall( "SET", KEYS[1])`},
		"calls a command that is not spelled out":         {"redis.call('GET', KEYS[1])", "redis.call(verb, KEYS[1])"},
		`says "-- WRITES" twice`:                          {"-- WRITES\n", "-- WRITES\n-- WRITES\n"},
		`below "-- WRITES" it refuses ("return -1")`:      {"-- WRITES\n", "-- WRITES\nif ARGV[1] == '' then return -1 end\n"},
		`it refuses ("return {-1")`:                       {"-- WRITES\n", "-- WRITES\nif ARGV[1] == '' then return {-1} end\n"},
		`it refuses ("return {err =")`:                    {"-- WRITES\n", "-- WRITES\nif ARGV[1] == '' then return {err = 'no'} end\n"},
		`it refuses ("redis.error_reply")`:                {"-- WRITES\n", "-- WRITES\nif ARGV[1] == '' then return redis.error_reply('no') end\n"},
		`it refuses ("error(")`:                           {"-- WRITES\n", "-- WRITES\nif ARGV[1] == '' then error('no') end\n"},
		`it refuses ("assert(")`:                          {"-- WRITES\n", "-- WRITES\nassert(ARGV[1])\n"},
		"block comment":                                   {"-- WRITES\n", "--[[ hidden ]]\n-- WRITES\n"},
		"it has 61 lines, and 60 is the limit":            {"-- WRITES\n", strings.Repeat("\n", 50) + "-- WRITES\n"},
		"it.lua: its first line must be a comment of one": {"-- Adds to a counter that is below its limit.", "-- KEYS: 1."},
	} {
		source := strings.Replace(add, change[0], change[1], 1)
		if source == add {
			t.Fatalf("%q is not in the script", change[0])
		}
		if _, err := load(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := Load(fstest.MapFS{}, "it"); err == nil {
		t.Error("loaded a script that is not there")
	}
}

func TestCommentsAndStringsAreToldApart(t *testing.T) {
	t.Parallel()
	for _, change := range [][]string{
		{"-- 'no more'", "-- redis.call('DEL', KEYS[9])"},
		{"-- WRITES\n", "local text = '-- it\\'s' .. \"--\" .. ARGV[1]\n-- WRITES\n-- never return -1 here\n"},
	} {
		if _, err := load(strings.Replace(add, change[0], change[1], 1)); err != nil {
			t.Error(err)
		}
	}
	hidden := strings.Replace(add, "-- WRITES\n", "local text = '--' .. KEYS[2]\n-- WRITES\n", 1)
	if _, err := load(hidden); err == nil {
		t.Error("a use behind dashes in a string was not seen")
	}
}
