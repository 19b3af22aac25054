package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestAttacksSendsTheDocumentedRequest(t *testing.T) {
	server := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
	before := time.Now().Add(-24 * time.Hour).Unix()
	code, out, errs := cli.Try(t, server, run)
	require.Equal(t, cli.OK, code, errs)
	require.Equal(t, "The limit of 50 is reached, and more attacks exist; -limit 0 shows all.\n", errs)
	require.Equal(t, 51, strings.Count(out, "\n"), "a header and 50 attacks")
	requests := server.Requests()
	require.Len(t, requests, 3, "who we are, the attacks, and whether there are more")
	require.Equal(t, "POST /v1/user", requests[0].Method+" "+requests[0].Path)
	require.JSONEq(t, `{}`, string(requests[0].Body))
	require.Equal(t, "POST /v1/objects/attack", requests[1].Method+" "+requests[1].Path)
	var sent struct {
		Filter struct {
			Time [][]*int64 `json:"time"`
		} `json:"filter"`
	}
	require.NoError(t, json.Unmarshal(requests[1].Body, &sent))
	from := *sent.Filter.Time[0][0]
	require.InDelta(t, before, from, 5)
	require.JSONEq(t, fmt.Sprintf(`{"filter":{"clientid":[4711],"time":[[%d,null]]},"offset":0,"limit":50,"order_by":"last_time","order_desc":true}`, from), string(requests[1].Body))
}

func TestAttacksFormats(t *testing.T) {
	server := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
	code, out, _ := cli.Try(t, server, run, "-format", "json", "-limit", "3")
	require.Equal(t, cli.OK, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 3)
	var last float64
	for i, line := range lines {
		var attack map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &attack))
		require.Contains(t, attack, "sid", "all that was received")
		require.Contains(t, attack, "state", "null members too")
		at := attack["last_time"].(float64)
		require.True(t, i == 0 || at <= last, "newest first")
		last = at
	}

	code, out, _ = cli.Try(t, server, run, "-format", "csv", "-limit", "3")
	require.Equal(t, cli.OK, code)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	require.Equal(t, "last_seen", rows[0][0])

	code, out, _ = cli.Try(t, server, run, "-limit", "0", "-since", "60w", "-format", "csv")
	require.Equal(t, cli.OK, code)
	require.Greater(t, strings.Count(out, "\n"), 2000, "0 is all")
}

func TestAttacksWithoutCredentials(t *testing.T) {
	code, out, errs := cli.Try(t, nil, run, "-limit", "5")
	require.Equal(t, cli.OK, code)
	require.Equal(t, 6, strings.Count(out, "\n"))
	require.Contains(t, errs, "fake cloud")
}

func TestAttacksWithoutAttacks(t *testing.T) {
	server := wallarmtest.NewServer(t)
	code, out, _ := cli.Try(t, server, run)
	require.Equal(t, cli.OK, code)
	require.Equal(t, "No attacks in the last 24h0m0s.\n", out)
}

func TestAttacksMistakes(t *testing.T) {
	for _, args := range [][]string{{"-limit", "-1"}, {"-since", "0s"}, {"-since", "x"}, {"-since", "-1d"}, {"-since", "7"}, {"-format", "xml"}, {"extra"}, {"-unknown"}} {
		code, out, errs := cli.Try(t, nil, run, args...)
		require.Equal(t, cli.Misused, code, args)
		require.Empty(t, out)
		require.NotEmpty(t, errs)
	}
	code, out, errs := cli.Try(t, nil, run, "-h")
	require.Equal(t, cli.OK, code)
	require.Empty(t, out)
	require.Contains(t, errs, "Usage:")
}

func TestAttacksFailure(t *testing.T) {
	server := wallarmtest.NewServer(t)
	server.Inject(wallarmtest.Fault{Path: "/v1/user", Status: 403, Body: `{"status":403,"body":"User not authenticated"}`})
	code, out, errs := cli.Try(t, server, run)
	require.Equal(t, cli.Failed, code)
	require.Empty(t, out)
	require.Contains(t, errs, "check the token and the region")
}

func TestWhatAttackersSentDoesNotReachTheTerminal(t *testing.T) {
	require.Equal(t, "a·[31mb·c", cli.Cut("a\x1b[31mb\nc", 0))
	require.Equal(t, "a·[31mb·c·d·e·", cli.Cut("a\u009b[31mb\u202ec\u2066d\u200ee\x7f", 0), "C1, marks and overrides of the direction")
	require.Equal(t, "abc…", cli.Cut("abcdef", 4))
	require.Equal(t, "äöü", cli.Cut("äöü", 3))
}
