package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestIncidentsSendsTheDocumentedRequest(t *testing.T) {
	server := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
	code, _, errs := cli.Try(t, server, run)
	require.Equal(t, cli.OK, code, errs)
	requests := server.Requests()
	require.Len(t, requests, 3, "who we are, the incidents, and whether there are more")
	require.Equal(t, "POST /v1/objects/attack", requests[1].Method+" "+requests[1].Path)
	var sent struct {
		Filter struct {
			Time [][]*int64 `json:"time"`
		} `json:"filter"`
	}
	require.NoError(t, json.Unmarshal(requests[1].Body, &sent))
	require.JSONEq(t, fmt.Sprintf(
		`{"filter":{"clientid":[4711],"!vulnid":null,"time":[[%d,null]]},"offset":0,"limit":50,"order_by":"last_time","order_desc":true}`,
		*sent.Filter.Time[0][0]), string(requests[1].Body))
}

func TestIncidentsHaveVulnerabilities(t *testing.T) {
	server := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
	code, out, _ := cli.Try(t, server, run, "-format", "json", "-since", "10000h", "-limit", "0")
	require.Equal(t, cli.OK, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.NotEmpty(t, lines)
	for _, line := range lines {
		var incident struct {
			VulnID *int64 `json:"vulnid"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &incident))
		require.NotNil(t, incident.VulnID)
	}
}
