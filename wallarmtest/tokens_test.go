package wallarmtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTokenLife(t *testing.T) {
	s := NewServer(t, fixedClock())
	expires := milliISO(s.Now().Add(48 * time.Hour))
	answer := sendOK(t, s, AdminToken, "POST", "/v2/api_tokens", `{"client_id":4711,"realname":"ci","user_id":70001,"enabled":true,"expire_at":"`+expires+`","permissions":["auditor"]}`)
	require.NotContains(t, answer, "secret")
	doc, err := parseObject([]byte(answer))
	require.NoError(t, err)
	made := doc.object("body")
	require.Equal(t, "Ada Admin", made.str("user_realname"))
	require.Equal(t, expires, made.str("expire_at"))
	require.False(t, made.bool("legacy"))
	path := fmt.Sprintf("/v2/api_tokens/%d", made.int("id"))

	value := call200(t, s, "GET", path+"/secret", "").object("body").str("secret")
	sendOK(t, s, value, "POST", "/v1/user", "")
	refused(t, s, value, "POST", "/v1/objects/user/create", newDev, 403, forbidden)
	renewed := call200(t, s, "POST", path+"/secret", "").object("body")
	require.Equal(t, milliISO(s.Now()), renewed.str("token_generated_at"))
	refused(t, s, value, "POST", "/v1/user", "", 403, `{"status":403,"body":"User not authenticated"}`)
	value = renewed.str("secret")
	sendOK(t, s, value, "POST", "/v1/user", "")

	call200(t, s, "PUT", path, `{"enabled":false,"realname":"ci-2"}`)
	status, _ := send(t, s, value, "POST", "/v1/user", "")
	require.Equal(t, http.StatusForbidden, status)
	refused(t, s, AdminToken, "PUT", path, `{"enabled":true}`, 400, `{"status":400,"body":{"expire_at":{"error":"required"}}}`)
	require.True(t, call200(t, s, "PUT", path, `{"enabled":true,"expire_at":"`+expires+`"}`).object("body").bool("enabled"))
	sendOK(t, s, value, "POST", "/v1/user", "")

	require.Len(t, bodyList(t, call200(t, s, "GET", "/v2/api_tokens?filter%5Bclient_id%5D=4711&filter%5Brealname%5D=ci-2&filter%5Benabled%5D=true", "")), 1)
	require.Len(t, bodyList(t, call200(t, s, "GET", "/v2/api_tokens", `{"filter":{"clientid":4711,"user_id":70001,"realname":"ci-2"}}`)), 1)
	require.Equal(t, "ci-2", call200(t, s, "DELETE", path, "").object("body").str("realname"))
	refused(t, s, AdminToken, "DELETE", path, "", 404, notFound)
	status, _ = send(t, s, value, "POST", "/v1/user", "")
	require.Equal(t, http.StatusForbidden, status)
}

func TestTokensExpireAndVanish(t *testing.T) {
	s := NewServer(t, fixedClock())
	made := call200(t, s, "POST", "/v2/api_tokens", `{"realname":"short","expire_at":"`+milliISO(s.Now().Add(time.Hour))+`","permissions":["auditor"]}`).object("body")
	require.Nil(t, made.get("user_id"), "shared")
	path := fmt.Sprintf("/v2/api_tokens/%d", made.int("id"))
	s.Advance(2 * time.Hour)
	require.False(t, call200(t, s, "GET", path, "").object("body").bool("enabled"))
	require.Len(t, bodyList(t, call200(t, s, "GET", "/v2/api_tokens?filter%5Bclient_id%5D=4711&filter%5Benabled%5D=false", "")), 2)
	s.Advance(7 * 24 * time.Hour)
	refused(t, s, AdminToken, "GET", path, "", 404, notFound)
}

func TestTokenRights(t *testing.T) {
	s := NewServer(t)
	shared := call200(t, s, "POST", "/v2/api_tokens", `{"realname":"shared","permissions":["auditor"]}`).object("body")
	of := func(o *object) string { return fmt.Sprintf("/v2/api_tokens/%d", o.int("id")) }
	call200(t, s, "GET", of(shared)+"/secret", "")
	refused(t, s, AuditorToken, "GET", "/v2/api_tokens?filter%5Bclient_id%5D=4711", "", 403, forbidden)
	refused(t, s, OtherToken, "GET", of(shared), "", 404, notFound)
	refused(t, s, OtherToken, "GET", "/v2/api_tokens?filter%5Bclient_id%5D=4711", "", 403, forbidden)
	refused(t, s, AdminToken, "GET", "/v2/api_tokens", "", 400, `{"status":400,"body":{"filter.clientid":{"error":"required"}}}`)

	// An analyst sees and makes tokens of its own; administrators see them, and not their values.
	s.AddToken(Token{Value: "test-token-anna", UserID: 70004, Permissions: []string{"analytic"}, Name: "anna"})
	var own *object
	for _, o := range bodyListOf(t, sendOK(t, s, "test-token-anna", "GET", "/v2/api_tokens?filter%5Bclient_id%5D=4711", "")) {
		require.EqualValues(t, 70004, o.int("user_id"))
		own = o
	}
	require.NotNil(t, own)
	call200(t, s, "GET", of(own), "")
	refused(t, s, AdminToken, "GET", of(own)+"/secret", "", 403, forbidden)
	sendOK(t, s, "test-token-anna", "GET", of(own)+"/secret", "")
	refused(t, s, "test-token-anna", "POST", "/v2/api_tokens", `{"realname":"s","permissions":["auditor"]}`, 403, forbidden)
	refused(t, s, "test-token-anna", "POST", "/v2/api_tokens", `{"realname":"s","permissions":["auditor"],"user_id":70001}`, 403, forbidden)
	refused(t, s, "test-token-anna", "POST", "/v2/api_tokens", `{"realname":"","enabled":1,"permissions":["admin"],"expire_at":"2001-01-01T00:00:00.000Z"}`, 400,
		`{"status":400,"body":{"realname":{"error":"can't be blank","value":""},"enabled":{"error":"must be boolean","value":1},
			"expire_at":{"error":"invalid","value":"2001-01-01T00:00:00.000Z"},"permissions":"not allowed"}}`)
	refused(t, s, AdminToken, "POST", "/v2/api_tokens", `{}`, 400, `{"status":400,"body":{"realname":{"error":"required"},"permissions":"required"}}`)
	refused(t, s, AdminToken, "POST", "/v2/api_tokens", `{"realname":"s","permissions":["auditor"],"user_id":70002}`, 400, `{"status":400,"body":{"user_id":{"error":"invalid","value":70002}}}`)

	// Whoever is disabled takes the tokens along.
	call200(t, s, "POST", "/v1/objects/user/update", `{"filter":{"id":70004},"fields":{"enabled":false}}`)
	require.False(t, call200(t, s, "GET", of(own), "").object("body").bool("enabled"))
}

func bodyListOf(t *testing.T, answer string) []*object {
	t.Helper()
	o, err := parseObject([]byte(answer))
	require.NoError(t, err)
	return bodyList(t, o)
}

func TestLegacyToken(t *testing.T) {
	s := NewServer(t)
	var legacy *object
	for _, o := range bodyList(t, call200(t, s, "GET", "/v2/api_tokens?filter%5Bclient_id%5D=4711", "")) {
		require.NotContains(t, string(appendJSON(nil, o)), "test-token")
		if o.bool("legacy") {
			legacy = o
		}
	}
	require.NotNil(t, legacy)
	require.Empty(t, legacy.array("permissions"))
	path := fmt.Sprintf("/v2/api_tokens/%d", legacy.int("id"))
	refused(t, s, AdminToken, "PUT", path, `{"permissions":["auditor"]}`, 400, `{"status":400,"body":{"permissions":"not allowed"}}`)
	pair := func() int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/user", strings.NewReader("{}"))
		require.NoError(t, err)
		req.Header.Set("X-WallarmAPI-UUID", LegacyUUID)
		req.Header.Set("X-WallarmAPI-Secret", LegacySecret)
		resp, err := s.Client().Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	sendOK(t, s, call200(t, s, "GET", path+"/secret", "").object("body").str("secret"), "POST", "/v1/user", "")
	require.Equal(t, http.StatusOK, pair())
	call200(t, s, "POST", path+"/secret", "")
	require.Equal(t, http.StatusForbidden, pair(), "renewing the value ends the pair")
}

func TestTokenPutAsJSON(t *testing.T) {
	s := NewServer(t)
	_, err := s.Put("api_tokens", `{"id":7,"realname":"raw","enabled":false,"permissions":[],"create_at":"2001-01-01T00:00:00Z"}`)
	require.NoError(t, err)
	refused(t, s, AdminToken, "GET", "/v2/api_tokens/7", "", 404, notFound)
	_, err = s.Put("api_tokens", `{"id":8,"realname":"raw","enabled":true,"permissions":[],"user_id":null}`)
	require.NoError(t, err)
	refused(t, s, AdminToken, "GET", "/v2/api_tokens/8/secret", "", 404, notFound)
	require.False(t, call200(t, s, "PUT", "/v2/api_tokens/8", `{"enabled":false}`).object("body").bool("enabled"))
}

func TestAddTokenReplaces(t *testing.T) {
	s := NewServer(t)
	before := len(s.Objects("api_tokens"))
	s.AddToken(Token{Value: AdminToken, Permissions: []string{"auditor"}})
	require.Len(t, s.Objects("api_tokens"), before)
	status, _ := send(t, s, AdminToken, "POST", "/v1/objects/hint/create", modeRule)
	require.Equal(t, 403, status)
}
