package wallarmtest

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCredentials(t *testing.T) {
	start := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	s := NewServer(t, WithClock(func() time.Time { return start }))
	s.AddToken(Token{Value: "test-token-short", Expires: start.Add(time.Hour)})
	try := func(header ...string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/user", nil)
		require.NoError(t, err)
		for i := 0; i < len(header); i += 2 {
			req.Header[header[i]] = []string{header[i+1]}
		}
		resp, err := s.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	for _, name := range []string{"X-WallarmApi-Token", "WallarmApi-Token", "x-wallarmapi-token", "X-WALLARMAPI-TOKEN"} {
		require.Equal(t, http.StatusOK, try(name, AdminToken), name)
	}
	require.Equal(t, http.StatusOK, try("X-WallarmApi-Token", "test-token-short"))
	require.Equal(t, http.StatusOK, try("X-WallarmAPI-UUID", LegacyUUID, "X-WallarmAPI-Secret", LegacySecret))
	require.Equal(t, http.StatusForbidden, try("X-WallarmAPI-UUID", LegacyUUID, "X-WallarmAPI-Secret", "wrong"))
	require.Equal(t, http.StatusForbidden, try("X-WallarmApi-Token", DisabledToken))
	require.Equal(t, http.StatusForbidden, try())
	s.Advance(2 * time.Hour)
	require.Equal(t, http.StatusForbidden, try("X-WallarmApi-Token", "test-token-short"))

	_, answer := send(t, s, "test-token-unknown", "POST", "/v1/user", "{}")
	require.JSONEq(t, `{"status":403,"body":"User not authenticated"}`, answer)
}

func TestRights(t *testing.T) {
	s := NewServer(t)
	rule := `{"type":"wallarm_mode","mode":"block","clientid":4711,"action":[]}`
	list := `{"filter":{"clientid":[4711]},"order_by":"id"}`
	for token, want := range map[string][2]int{
		AdminToken: {200, 200}, PartnerToken: {200, 200}, AnalystToken: {200, 403}, AuditorToken: {200, 403},
		DeployToken: {403, 403}, OtherToken: {403, 403},
	} {
		status, _ := send(t, s, token, "POST", "/v1/objects/hint", list)
		require.Equal(t, want[0], status, token)
		status, answer := send(t, s, token, "POST", "/v1/objects/hint/create", rule)
		require.Equal(t, want[1], status, token)
		if status == http.StatusForbidden {
			require.JSONEq(t, `{"status":403,"body":"Check permissions failed"}`, answer)
		}
	}
}

func TestTenants(t *testing.T) {
	s := NewServer(t)
	for _, id := range []int64{DefaultClientID, TenantClientID, OtherClientID} {
		s.SeedAttacks(Attack{ClientID: id})
		_, err := s.AddRule(`{"type":"wallarm_mode","mode":"block","action":[],"clientid":` + string(appendJSON(nil, id)) + `}`)
		require.NoError(t, err)
	}
	count := func(token, path string) int {
		_, answer := send(t, s, token, "POST", path, `{"filter":{}}`)
		o, err := parseObject([]byte(answer))
		require.NoError(t, err)
		return len(o.array("body"))
	}
	for _, path := range []string{"/v1/objects/attack", "/v1/objects/hit", "/v1/objects/hint", "/v1/objects/action"} {
		require.Equal(t, 1, count(AdminToken, path), path)
		require.Equal(t, 1, count(OtherToken, path), path)
		require.Equal(t, 2, count(PartnerToken, path), path)
	}
}

func TestCurrentUser(t *testing.T) {
	s := NewServer(t)
	me := call200(t, s, "POST", "/v1/user", "").object("body")
	require.Equal(t, DefaultClientID, me.int("client_id"))
	require.False(t, me.has("clientid"))
	_, err := time.Parse(time.RFC3339, me.str("create_at"))
	require.NoError(t, err)

	renewed := call200(t, s, "POST", "/v1/user/renew_secret", "").object("body")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/user", nil)
	require.NoError(t, err)
	for secret, want := range map[string]int{LegacySecret: http.StatusForbidden, renewed.str("secret"): http.StatusOK} {
		req.Header.Set("X-WallarmAPI-UUID", LegacyUUID)
		req.Header.Set("X-WallarmAPI-Secret", secret)
		resp, err := s.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, want, resp.StatusCode)
	}
}

// A test may hand a request over without a server, also one made as a client's, which has no body at all.
func TestARequestWithoutABody(t *testing.T) {
	cloud := NewCloud()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/user", nil)
	require.NoError(t, err)
	req.Header.Set("X-WallarmApi-Token", AdminToken)
	answer := httptest.NewRecorder()
	cloud.ServeHTTP(answer, req)
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
}
