package main

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestShowAddRemove(t *testing.T) {
	server := wallarmtest.NewServer(t)
	code, out, errs := cli.Try(t, server, run, "show")
	require.Equal(t, cli.OK, code, errs)
	require.Equal(t, "No entries.\n", out)

	code, out, errs = cli.Try(t, server, run, "add", "203.0.113.7/32", "-reason", "scanner", "198.51.100.0/24", "country:aq", "-for", "7d")
	require.Equal(t, cli.OK, code, errs)
	require.Equal(t, "Added 3 values to the deny list.\n", out)
	code, _, errs = cli.Try(t, server, run, "add", "203.0.113.7")
	require.Equal(t, cli.Failed, code)
	require.Contains(t, errs, "409 Conflict")
	code, _, errs = cli.Try(t, server, run, "add", "-force", "203.0.113.7")
	require.Equal(t, cli.OK, code, errs)
	code, _, errs = cli.Try(t, server, run, "add", "-list", "allowlist", "2001:DB8::1")
	require.Equal(t, cli.OK, code, errs)

	code, out, _ = cli.Try(t, server, run, "show", "-list", "deny", "-format", "csv")
	require.Equal(t, cli.OK, code)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	require.Equal(t, []string{"deny", "subnet", "203.0.113.7/32", "forever", "all"}, rows[1][:5])
	require.Equal(t, "scanner", rows[2][5])
	until, err := time.Parse(time.RFC3339, rows[2][3])
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(7*24*time.Hour), until, time.Minute)
	code, out, _ = cli.Try(t, server, run, "show", "-query", "scanner", "-format", "json")
	require.Equal(t, cli.OK, code)
	require.Contains(t, out, `"rule_type":"location"`)

	code, out, errs = cli.Try(t, server, run, "remove", "203.0.113.7", "country:AQ", "192.0.2.1")
	require.Equal(t, cli.OK, code, errs)
	require.Equal(t, "Removed 2 values from the deny list.\n", out)
	code, out, _ = cli.Try(t, server, run, "show")
	require.Equal(t, cli.OK, code)
	require.Equal(t, 3, strings.Count(out, "\n"))
}

func TestSyncAFile(t *testing.T) {
	server := wallarmtest.NewServer(t)
	file := filepath.Join(t.TempDir(), "list.txt")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write("# the feed\n203.0.113.7\n\n198.51.100.0/24  # a net\n")
	_, _, errs := cli.Try(t, server, run, "add", "203.0.113.9", "proxy:TOR")
	require.Empty(t, errs)

	code, out, errs := cli.Try(t, server, run, "sync", file, "-dry-run", "-for", "24h")
	require.Equal(t, cli.OK, code, errs)
	require.Contains(t, out, "2 to add, 0 to update, 1 to remove, 0 kept\n+ 198.51.100.0/24")
	require.Contains(t, out, "- 203.0.113.9  until forever\n")
	require.Contains(t, errs, "Dry run")
	require.Len(t, server.Objects("ip_rules"), 2, "a dry run changes nothing")

	code, out, errs = cli.Try(t, server, run, "sync", "-for", "24h", "-reason", "feed", file)
	require.Equal(t, cli.OK, code, errs)
	require.Contains(t, out, "Added 2, updated 0, removed 1.\n")
	code, out, _ = cli.Try(t, server, run, "sync", "-for", "48h", "-reason", "feed", file)
	require.Equal(t, cli.OK, code)
	require.Equal(t, "deny list of client 4711: 0 to add, 0 to update, 0 to remove, 2 kept\n", out)
	_, out, _ = cli.Try(t, server, run, "sync", "-for", "48h", "-reason", "feed", "-refresh", "-dry-run", file)
	require.Contains(t, out, "2 to update")

	write("203.0.113.200\n")
	_, out, _ = cli.Try(t, server, run, "sync", "-own", "-reason", "another", "-dry-run", file)
	require.Contains(t, out, "1 to add, 0 to update, 0 to remove")

	write("# nothing\n")
	code, _, errs = cli.Try(t, server, run, "sync", file)
	require.Equal(t, cli.Failed, code)
	require.Contains(t, errs, "-allow-empty")
	before := len(server.Objects("ip_rules"))
	code, _, errs = cli.Try(t, server, run, "sync", "-allow-empty", file)
	require.Equal(t, cli.Failed, code)
	require.Contains(t, errs, "-kinds")
	code, _, _ = cli.Try(t, server, run, "sync", "-allow-empty", "-kinds", "country,datacenter", file)
	require.Equal(t, cli.OK, code)
	require.Len(t, server.Objects("ip_rules"), before, "addresses are no countries")
	code, _, _ = cli.Try(t, server, run, "sync", "-allow-empty", "-kinds", "subnet", file)
	require.Equal(t, cli.OK, code)
	require.Len(t, server.Objects("ip_rules"), 1, "the proxies stay")
	code, _, errs = cli.Try(t, server, run, "sync", "-kinds", "planet", file)
	require.Equal(t, cli.Misused, code)
	require.Contains(t, errs, "-kinds planet")

	write("203.0.113.7\nexample.com\n")
	code, _, errs = cli.Try(t, server, run, "sync", file)
	require.Equal(t, cli.Failed, code)
	require.Contains(t, errs, "list.txt:2:")
	code, _, _ = cli.Try(t, server, run, "sync", file+".not")
	require.Equal(t, cli.Failed, code)
}

func TestWithoutCredentials(t *testing.T) {
	code, out, errs := cli.Try(t, nil, run, "show", "-list", "gray")
	require.Equal(t, cli.OK, code)
	require.Contains(t, out, "AQ BV")
	require.Contains(t, errs, "fake cloud")
}

func TestMistakes(t *testing.T) {
	for _, args := range [][]string{
		nil, {"list"}, {"-x"}, {"show", "extra"}, {"show", "-list", "black hole"}, {"show", "-format", "xml"}, {"add"}, {"add", "example.com"},
		{"add", "-for", "-1d", "203.0.113.7"}, {"add", "-for", "1y", "203.0.113.7"}, {"add", "-list", "all", "203.0.113.7"}, {"remove"}, {"remove", "country:Holland"}, {"sync"},
		{"sync", "a", "b"}, {"sync", "-own", "a"}, {"sync", "-unknown", "a"}, {"add", "-list", "api_abuse_exceptions", "203.0.113.7"},
	} {
		code, out, errs := cli.Try(t, nil, run, args...)
		require.Equal(t, cli.Misused, code, fmt.Sprint(args))
		require.Empty(t, out)
		require.NotEmpty(t, errs)
	}
	for _, args := range [][]string{{"-h"}, {"show", "-h"}, {"add", "-help"}, {"remove", "-h"}, {"sync", "-h"}} {
		code, out, errs := cli.Try(t, nil, run, args...)
		require.Equal(t, cli.OK, code)
		require.Empty(t, out)
		require.Contains(t, errs, "Usage:")
		require.Equal(t, args[0] != "-h", strings.Contains(errs, "\nFlags:\n"), "the program itself has no flags")
	}
}

func TestFailures(t *testing.T) {
	server := wallarmtest.NewServer(t)
	server.Inject(wallarmtest.Fault{Op: "iplists.list", Status: http.StatusForbidden, Body: `{"status":403,"body":"Check permissions failed"}`})
	for _, args := range [][]string{{"show"}, {"remove", "203.0.113.7"}} {
		code, out, errs := cli.Try(t, server, run, args...)
		require.Equal(t, cli.Failed, code)
		require.Empty(t, out)
		require.Contains(t, errs, "Check permissions failed")
	}
}
