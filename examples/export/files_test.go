package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	// The name holds what package sqlite takes for options, and URLs for escapes.
	s := settings{format: "sqlite", out: filepath.Join(dir, "a?b=c%20#d.sqlite")}
	out, err := open(s, nil, &state{})
	require.NoError(t, err)
	require.NoError(t, out.Begin())
	require.NoError(t, out.Write(record{ID: "1"}))
	_, err = out.Commit()
	require.NoError(t, err)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(s.out + suffix)
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s%s", s.out, suffix)
	}
	require.NoError(t, out.Close())
	n := 0
	require.NoError(t, readBack(s, func(record) { n++ }))
	require.Equal(t, 1, n)

	server, _ := seeded(t)
	names := []string{"-o", filepath.Join(dir, "x.csv"), "-checkpoint", filepath.Join(dir, "x.state"), "-html", filepath.Join(dir, "x.html")}
	code, _, errs := cli.Try(t, server, run, names...)
	require.Equal(t, cli.OK, code, errs)
	for i := 1; i < len(names); i += 2 {
		info, err := os.Stat(names[i])
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, names[i])
	}
}

func TestNoFileServesTwoPurposes(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("d", 0o700))
	for _, name := range []string{"old", "d/old", "other"} {
		require.NoError(t, os.WriteFile(name, []byte("kept\n"), 0o600))
	}
	require.NoError(t, os.Link("old", "hard"))
	for name, target := range map[string]string{"soft": "old", "dangling": "new", "dir": "d", "d/up": "../new", "loop": "loop"} {
		require.NoError(t, os.Symlink(target, name))
	}
	full, err := filepath.Abs("new")
	require.NoError(t, err)
	for _, test := range []struct {
		args string
		ok   bool
	}{
		{"-o old -checkpoint old", false},
		{"-o old -checkpoint ./d/../old", false},
		{"-o old -checkpoint hard", false},
		{"-o old -checkpoint soft", false},
		{"-o old -html soft", false},
		{"-o new -html new", false},
		{"-o new -html " + full, false},
		{"-o dangling -html new", false},
		{"-o new -checkpoint dangling", false},
		{"-o d/new -checkpoint dir/new", false},
		{"-o dir/up -checkpoint new", false},
		{"-o dir/../new -checkpoint new", false},
		{"-checkpoint new -o other -html new", false},
		{"-checkpoint x -o x.tmp", false},
		{"-checkpoint x -o other -html ./x.tmp", false},
		{"-o a.db -checkpoint a.db-wal", false},
		{"-o a.db -html a.db-shm", false},
		{"-o old -checkpoint d/old -html other", true},
		{"-o new -checkpoint d/new -html new.html", true},
		{"-o new.tmp -checkpoint other", true},
		{"-o loop -checkpoint new", true},
		{"-checkpoint new", true},
	} {
		p := &cli.Program{Args: strings.Fields(test.args), Err: &bytes.Buffer{}}
		_, err := parse(p)
		if test.ok {
			require.NoError(t, err, test.args)
			continue
		}
		require.ErrorContains(t, err, "are one file", test.args)
		code, _, _ := cli.Try(t, nil, run, p.Args...)
		require.Equal(t, cli.Misused, code)
	}
	data, err := os.ReadFile("old")
	require.NoError(t, err)
	require.Equal(t, "kept\n", string(data))
}

// finished exports to dir, and returns the flags that do the same again.
func finished(t *testing.T, server *wallarmtest.Server, dir, format string) []string {
	t.Helper()
	args := []string{"-format", format, "-o", filepath.Join(dir, "out"), "-checkpoint", filepath.Join(dir, "state"), "-since", "30h"}
	code, _, errs := cli.Try(t, server, run, args...)
	require.Equal(t, cli.OK, code, errs)
	return args
}

// rewrite changes a checkpoint.
func rewrite(t *testing.T, path string, change func(*state)) {
	t.Helper()
	var st state
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &st))
	change(&st)
	require.NoError(t, save(path, &st))
}

func TestACheckpointIsOneOfItsExportOnly(t *testing.T) {
	server, _ := seeded(t)
	for _, format := range []string{"ndjson", "csv", "sqlite"} {
		for _, done := range []bool{true, false} {
			dir := t.TempDir()
			args := finished(t, server, dir, format)
			checkpoint, out, victim := filepath.Join(dir, "state"), filepath.Join(dir, "out"), filepath.Join(dir, "victim")
			rewrite(t, checkpoint, func(st *state) { st.Done = done })
			require.NoError(t, os.WriteFile(victim, bytes.Repeat([]byte("precious\n"), 1<<18), 0o600))
			before, err := os.ReadFile(out)
			require.NoError(t, err)
			for _, test := range []struct {
				flags, want string
				variables   map[string]string
			}{
				{"-o " + victim, "belongs to an export to " + resolved(out), nil},
				{"-since 31h", "-since 30h0m0s", nil},
				{"-what hits", "an export of attacks", nil},
				{"", "of client 4711 at 127.0.0.1, and this is client 99", map[string]string{wallarm.EnvClientID: "99"}},
				{"", "and this is client 4711 at localhost", map[string]string{wallarm.EnvHost: strings.Replace(server.URL, "127.0.0.1", "localhost", 1)}},
			} {
				code, errs := try(t, server, test.variables, append(args, strings.Fields(test.flags)...)...)
				require.Equal(t, cli.Misused, code, "%v %v: %s", done, test, errs)
				require.Contains(t, errs, test.want)
			}
			code, _, errs := cli.Try(t, server, run, append(args, "-o", "", "-format", "ndjson")...)
			require.Equal(t, cli.Misused, code, errs)
			after, err := os.ReadFile(out)
			require.NoError(t, err)
			require.Equal(t, before, after)
			info, err := os.Stat(victim)
			require.NoError(t, err)
			require.EqualValues(t, 9<<18, info.Size())

			code, _, errs = cli.Try(t, server, run, append(args, "-o", dir+"/./out")...)
			require.Equal(t, cli.OK, code, errs)
			require.Equal(t, done, strings.Contains(errs, "already complete"), errs)
		}
	}
}

// try runs the program with further variables of the environment.
func try(t *testing.T, server *wallarmtest.Server, variables map[string]string, args ...string) (int, string) {
	t.Helper()
	if server != nil {
		t.Setenv(wallarm.EnvHost, server.URL)
	}
	t.Setenv(wallarm.EnvToken, wallarmtest.AdminToken)
	t.Setenv(wallarm.EnvClientID, "")
	for name, value := range variables {
		t.Setenv(name, value)
	}
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), &cli.Program{Name: "examples/test", Args: args, Out: &out, Err: &errs}, run)
	return code, errs.String()
}

func TestAnOutputThatIsNotTheOneOfTheCheckpointStays(t *testing.T) {
	server, _ := seeded(t)
	for _, format := range []string{"ndjson", "csv", "sqlite"} {
		dir := t.TempDir()
		args := finished(t, server, dir, format)
		out := filepath.Join(dir, "out")
		rewrite(t, filepath.Join(dir, "state"), func(st *state) { st.Done = false })
		for _, content := range []string{"short\n", strings.Repeat("another file\n", 1<<18)} {
			require.NoError(t, os.WriteFile(out, []byte(content), 0o600))
			// The place is that of the end, so that a page with something to write has to come.
			server.SeedAttacks(wallarmtest.Attack{Time: time.Now().Add(-25 * time.Hour)})
			code, _, errs := cli.Try(t, server, run, args...)
			require.Equal(t, cli.Failed, code, errs)
			require.Contains(t, errs, out)
			data, err := os.ReadFile(out)
			require.NoError(t, err)
			require.Equal(t, content, string(data))
		}
		require.NoError(t, os.Remove(out))
		code, _, errs := cli.Try(t, server, run, args...)
		require.Equal(t, cli.Failed, code, errs)
		require.Contains(t, errs, "is gone")
		require.NoFileExists(t, out)
	}
}

func TestCheckpointsThatNameNoOutputAreRefused(t *testing.T) {
	server := wallarmtest.NewServer(t)
	path := filepath.Join(t.TempDir(), "state")
	for version, want := range map[string]string{"": "older version", `"version":3,`: "newer version"} {
		require.NoError(t, os.WriteFile(path, []byte(`{`+version+`"what":"attacks","format":"ndjson","size":5}`), 0o600))
		code, _, errs := cli.Try(t, server, run, "-checkpoint", path)
		require.Equal(t, cli.Misused, code, errs)
		require.Contains(t, errs, want)
	}
	now := time.Now().Truncate(time.Second)
	require.NoError(t, save(path, &state{Version: stateVersion, What: "attacks", Format: "ndjson", From: now.Add(-24 * time.Hour), Until: now}))
	code, _, errs := cli.Try(t, server, run, "-checkpoint", path, "-o", path+".ndjson")
	require.Equal(t, cli.Misused, code, errs)
	require.Contains(t, errs, "to standard output")
	require.NoFileExists(t, path+".ndjson")
	require.Empty(t, server.Requests())
}

func TestAFailureBeforeTheFirstPageCostsNothing(t *testing.T) {
	for _, operation := range []string{"users.me", "attacks.count", "attacks.list"} {
		for _, format := range []string{"ndjson", "csv", "sqlite"} {
			server, _ := seeded(t)
			dir := t.TempDir()
			out, checkpoint := filepath.Join(dir, "out."+format), filepath.Join(dir, "state")
			require.NoError(t, os.WriteFile(out, []byte("kept\n"), 0o600))
			server.Inject(wallarmtest.Fault{Op: operation, Status: 403, Body: `{"status":403,"body":"User not authenticated"}`})
			code, _, errs := cli.Try(t, server, run, "-o", out, "-format", format, "-checkpoint", checkpoint)
			require.Equal(t, cli.Failed, code, errs)
			require.Contains(t, errs, "not authenticated", "%s %s", operation, format)
			data, err := os.ReadFile(out)
			require.NoError(t, err)
			require.Equal(t, "kept\n", string(data))
			require.NoFileExists(t, checkpoint)
		}
	}
}

func TestAnEmptyExportEmptiesTheOutput(t *testing.T) {
	server := wallarmtest.NewServer(t)
	out := filepath.Join(t.TempDir(), "out.csv")
	require.NoError(t, os.WriteFile(out, []byte("a former export\n"), 0o600))
	code, _, errs := cli.Try(t, server, run, "-o", out)
	require.Equal(t, cli.OK, code, errs)
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, strings.Join(columns, ",")+"\n", string(data))
}
