package compat

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
	wallarm "github.com/wallarm/wallarm-go"
)

func TestAttacks(t *testing.T) {
	w := newWorld(t)
	now := w.Now().Truncate(time.Second)
	ids := w.SeedAttacks(
		wallarmtest.Attack{Type: "sqli", VulnID: 90210, Domain: "shop.example.net", Hits: []wallarmtest.Hit{
			{Time: now.Add(-time.Hour), IP: "198.51.100.7", Country: "NL", StatusCode: 404},
			{Time: now.Add(-time.Hour), IP: "198.51.100.7", Country: "NL", StatusCode: 404}, {Time: now, IP: "2001:db8::9"},
		}},
		wallarmtest.Attack{Type: "xss", Time: now.Add(-2 * time.Hour)},
		wallarmtest.Attack{ClientID: wallarmtest.OtherClientID, Type: "rce"},
	)
	list, err := w.api.AttackRead(&wallarm.AttackReadRequest{
		Filter: &wallarm.AttackFilter{
			ClientID: []int{client}, Time: [][]any{{now.Add(-24 * time.Hour).Unix(), nil}}, NotType: []string{"warn"},
			NotExperimental: ptr(true),
		}, Limit: 10, OrderBy: "last_time", OrderDesc: true,
	})
	require.NoError(t, err)
	require.Len(t, list.Body, 2)
	first := list.Body[0]
	require.Equal(t, []string{ids[0].Index, ids[0].Doc}, first.ID)
	require.Equal(t, ids[0].String(), first.AttackID)
	require.Equal(t, 3, first.Hits)
	require.Equal(t, 90210.0, first.VulnID)
	require.Equal(t, []int{200, 404}, first.StatusCodes)
	require.Equal(t, "NL", first.IPTop[0].Country)

	incidents, err := w.api.AttackRead(&wallarm.AttackReadRequest{
		Filter: &wallarm.AttackFilter{ClientID: []int{client}, NotVulnID: json.RawMessage("null")}, Limit: 10, OrderBy: "last_time",
	})
	require.NoError(t, err)
	require.Len(t, incidents.Body, 1)

	filter := &wallarm.AttackCountFilter{ClientID: []int{client}, AttackID: [][]string{{ids[0].Index, ids[0].Doc}}}
	count, err := w.api.AttackCount(&wallarm.AttackCountRequest{Filter: filter})
	require.NoError(t, err)
	require.Equal(t, 1, count.Body.Attacks)
	require.Equal(t, 3.0, count.Body.Hits)
	require.Equal(t, 2, count.Body.IPs)
	ips, err := w.api.AttackIP(&wallarm.AttackIPRequest{Filter: filter})
	require.NoError(t, err)
	require.Equal(t, []string{"198.51.100.7", "2001:db8::9"}, ips.Body)

	_, err = w.as(t, wallarmtest.AdminToken).AttackRead(&wallarm.AttackReadRequest{
		Filter: &wallarm.AttackFilter{ClientID: []int{int(wallarmtest.OtherClientID)}}, Limit: 1, OrderBy: "last_time",
	})
	status(t, http.StatusForbidden, err)
}

// TestAttacksByCursor walks the first generation of the list by cursor, which
// only this client does.
func TestAttacksByCursor(t *testing.T) {
	w := newWorld(t)
	var attacks []wallarmtest.Attack
	for i := range 250 {
		attacks = append(attacks, wallarmtest.Attack{Time: w.Now().Add(-time.Duration(i) * time.Minute)})
	}
	w.SeedAttacks(attacks...)
	seen, cursor := map[string]bool{}, ""
	for page := range 3 {
		list, err := w.api.AttackRead(&wallarm.AttackReadRequest{
			Filter: &wallarm.AttackFilter{ClientID: []int{client}}, Limit: 100, OrderBy: "last_time", OrderDesc: true,
			Paging: true, Cursor: cursor,
		})
		require.NoError(t, err)
		for _, a := range list.Body {
			seen[a.AttackID] = true
		}
		cursor = list.Cursor
		require.Equal(t, page == 2, cursor == "")
	}
	require.Len(t, seen, 250)
}

func TestHits(t *testing.T) {
	w := newWorld(t)
	now := w.Now().Truncate(time.Second)
	attack := w.SeedAttacks(wallarmtest.Attack{
		Type: "sqli", Domain: "shop.example.net", Path: "/v1/login", Method: "POST", AuthProtocol: []string{"jwt"},
		Point: []any{"post", "json_doc", "hash", "q"}, Hits: []wallarmtest.Hit{{
			Time: now, IP: "198.51.100.7", Country: "NL", Value: "' or 1=1", RequestID: "5f0c9d7e2b1a4c3d8e6f708192a3b4c5",
			Stamps: []int64{3301}, BlockStatus: "blocked",
		}},
	})[0]
	hits, err := w.api.HitRead(&wallarm.HitReadRequest{
		Filter: &wallarm.HitFilter{
			ClientID: client, RequestID: "5f0c9d7e2b1a4c3d8e6f708192a3b4c5", NotType: []string{"warn", "infoleak"},
			Time: [][]any{{now.Add(-time.Hour).Unix(), nil}}, NotState: "falsepositive", NotExperimental: true, NotAasmEvent: true,
		}, Limit: 500, OrderBy: "time", OrderDesc: true,
	})
	require.NoError(t, err)
	require.Len(t, hits, 1)
	hit := hits[0]
	require.Equal(t, []string{attack.Index, attack.Doc}, hit.AttackID)
	require.Equal(t, []any{"post", "json_doc", "hash", "q"}, hit.Point)
	require.Equal(t, "NL", *hit.RemoteCountry)
	require.Equal(t, []string{"jwt"}, hit.AuthProtocol)
	require.Equal(t, 403, hit.StatusCode)

	byAttack, err := w.api.HitRead(&wallarm.HitReadRequest{
		Filter: &wallarm.HitFilter{ClientID: client, AttackID: [][]string{{attack.Index, attack.Doc}}, Type: []string{"sqli"}, NotWallarmScanner: true},
		Limit:  500, OrderBy: "time", OrderDesc: true,
	})
	require.NoError(t, err)
	require.Equal(t, hits, byAttack)

	// The client always sends state, security_issue_id and two negations.
	details, err := w.api.HitDetails(&wallarm.HitDetailsRequest{Filter: &wallarm.HitFilter{ClientID: client, ID: hit.ID}, Returns: "raw"})
	require.NoError(t, err)
	require.Len(t, details.Body, 1)
	require.Equal(t, "/v1/login", details.Body[0].Raw.URI)
	require.Equal(t, []any{"shop.example.net"}, details.Body[0].Raw.Headers["host"])
	raw, err := w.api.HitRaw(&wallarm.HitRawRequest{Filter: &wallarm.HitFilter{ClientID: client, ID: hit.ID}})
	require.NoError(t, err)
	require.Contains(t, string(raw), "POST /v1/login HTTP/1.1\r\n")
}
