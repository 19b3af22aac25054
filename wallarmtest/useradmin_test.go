package wallarmtest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// sendOK sends as anyone and wants 200.
func sendOK(t *testing.T, s *Server, token, method, path, body string) string {
	t.Helper()
	status, answer := send(t, s, token, method, path, body)
	require.Equal(t, http.StatusOK, status, answer)
	return answer
}

// refused sends and wants an error answer.
func refused(t *testing.T, s *Server, token, method, path, body string, status int, want string) {
	t.Helper()
	got, answer := send(t, s, token, method, path, body)
	require.Equal(t, status, got, answer)
	require.JSONEq(t, want, answer)
}

const (
	newDev = `{"username":"dev@example.com","email":"dev@example.com","realname":"Dev Account","password":"test-password-2B",
		"permissions":["analytic"],"clientid":4711,"enabled":true}`
	forbidden = `{"status":403,"body":"Check permissions failed"}`
	notFound  = `{"status":404,"body":"Not found"}`
)

func TestUserLife(t *testing.T) {
	s := NewServer(t)
	made := call200(t, s, "POST", "/v1/objects/user/create", newDev).object("body")
	require.EqualValues(t, 70101, made.int("id"))
	require.Equal(t, "Dev Account", made.str("realname"))
	require.False(t, made.bool("validated"))
	require.True(t, made.has("phone"))
	require.False(t, made.has("password"))
	refused(t, s, AdminToken, "POST", "/v1/objects/user/create", newDev, 409, `{"status":409,"body":"Already exists"}`)

	list := func(body string) []*object { return bodyList(t, call200(t, s, "POST", "/v1/objects/user", body)) }
	require.Len(t, list(`{"filter":{}}`), 4)
	require.Len(t, list(`{"filter":{"clientid":[4711],"email":"dev@example.com"},"limit":100,"offset":0,"order_by":"realname","order_desc":true}`), 1)
	require.Len(t, list(`{"filter":{"!id":70101}}`), 3)
	require.Len(t, list(`{"filter":{"query":"DEV"}}`), 1)
	require.Len(t, list(`{"filter":{"!query":"dev"}}`), 3)
	require.Empty(t, list(`{"filter":{"notification_report_daily":["email"]}}`))
	require.Len(t, list(`{"filter":{"!notification_report_daily":["email"]},"limit":2,"offset":2}`), 2)

	changed := bodyList(t, call200(t, s, "POST", "/v1/objects/user/update",
		`{"filter":{"id":70101},"fields":{"enabled":false,"realname":"D","email":"other@example.com","phone":null}}`))
	require.Len(t, changed, 1)
	require.False(t, changed[0].bool("enabled"))
	require.Equal(t, "dev@example.com", changed[0].str("email"), "an address cannot be changed")
	require.JSONEq(t, `{"status":200,"body":[]}`, sendOK(t, s, AdminToken, "POST", "/v1/objects/user/update", `{"filter":{"id":1},"fields":{"enabled":false}}`))

	require.JSONEq(t, `{"status":200,"body":{"active":3,"inactive":1,"total":4}}`, sendOK(t, s, AuditorToken, "GET", "/v2/clients/4711/users/count", ""))
	require.JSONEq(t, `{"status":200,"body":{"active":0,"inactive":1,"total":1}}`,
		sendOK(t, s, AdminToken, "GET", "/v2/clients/4711/users/count?query=dev&active=false", ""))
	require.Len(t, bodyList(t, call200(t, s, "GET", "/v2/clients/4711/users?active=true&limit=2&offset=1&order_by=email&order_desc=true", "")), 2)

	require.JSONEq(t, `{"status":200,"body":[70101]}`, sendOK(t, s, AdminToken, "POST", "/v1/objects/user/delete", `{"filter":{"id":70101}}`))
	require.JSONEq(t, `{"status":200,"body":[]}`, sendOK(t, s, AdminToken, "POST", "/v1/objects/user/delete", `{"filter":{"id":70101}}`))
}

func TestUserRefusals(t *testing.T) {
	s := NewServer(t)
	for body, want := range map[string]string{
		`{}`: `{"username":{"error":"required"},"email":{"error":"required"},"realname":{"error":"required"},"permissions":{"error":"required"}}`,
		`{"username":"","email":7,"realname":"x","permissions":["admin"]}`:                         `{"username":{"error":"can't be blank","value":""},"email":{"error":"must be string","value":7}}`,
		`{"username":"a","email":"a","realname":"a","permissions":["admin","auditor"]}`:            `{"permissions":{"error":"invalid","value":["admin","auditor"]}}`,
		`{"username":"a","email":"a","realname":"a","permissions":["admin"],"password":"short"}`:   `{"password":{"error":"invalid","value":"short"}}`,
		`{"username":"a","email":"a","realname":"a","permissions":["admin"],"enabled":"yes"}`:      `{"enabled":{"error":"must be boolean","value":"yes"}}`,
		`{"username":"a","email":"a","realname":"a","permissions":["admin"],"notifications":"on"}`: `{"notifications":{"error":"invalid","value":"on"}}`,
	} {
		refused(t, s, AdminToken, "POST", "/v1/objects/user/create", body, 400, `{"status":400,"body":`+want+`}`)
	}
	global := `{"username":"g","email":"g","realname":"g","permissions":["partner_auditor"]}`
	refused(t, s, AdminToken, "POST", "/v1/objects/user/create", global, 403, forbidden)
	sendOK(t, s, PartnerToken, "POST", "/v1/objects/user/create", global)
	refused(t, s, AdminToken, "POST", "/v1/objects/user/create", `{"username":"o","email":"o","realname":"o","permissions":["admin"],"clientid":5150}`, 403, forbidden)
	refused(t, s, AnalystToken, "POST", "/v1/objects/user/create", newDev, 403, forbidden)
	refused(t, s, AdminToken, "POST", "/v1/objects/user", `{}`, 400, `{"status":400,"body":{"filter":{"error":"required"}}}`)
	refused(t, s, AdminToken, "POST", "/v1/objects/user/update", `{"filter":{"id":1}}`, 400, `{"status":400,"body":{"fields":{"error":"required"}}}`)
	refused(t, s, AdminToken, "POST", "/v1/objects/user/update", `{"filter":{"id":1},"fields":[1]}`, 400, `{"status":400,"body":{"fields":{"error":"invalid","value":[1]}}}`)
	refused(t, s, AdminToken, "POST", "/v1/objects/user/update", `{"filter":{"id":1},"fields":{"clientid":5150}}`, 403, forbidden)
	refused(t, s, AdminToken, "POST", "/v1/objects/user/update", `{"filter":{"id":1},"fields":{"clientid":"x","results_per_page":"y"}}`, 400,
		`{"status":400,"body":{"results_per_page":{"error":"invalid","value":"y"}}}`)
	refused(t, s, AdminToken, "POST", "/v1/objects/user/delete", `{"filter":{"query":"a"}}`, 400, `{"status":400,"body":{"filter.query":{"error":"invalid","value":"a"}}}`)
	refused(t, s, AdminToken, "GET", "/v2/clients/5150/users", "", 403, forbidden)
	refused(t, s, AdminToken, "GET", "/v2/clients/4711/users?active=maybe", "", 400, `{"status":400,"body":{"active":{"error":"must be boolean","value":"maybe"}}}`)
}

func TestInvitations(t *testing.T) {
	s := NewServer(t)
	answer, err := parseObject([]byte(sendOK(t, s, AdminToken, "POST", "/v2/user/invitation",
		`{"ttl":3600,"permissions":["analytic"],"email":"a@example.com","auto_group":{"roles":["auditor"]}}`)))
	require.NoError(t, err)
	require.Len(t, answer.str("invitation"), 64)
	require.False(t, answer.has("status"))
	require.Len(t, s.Objects("invitations"), 1)
	refused(t, s, AdminToken, "POST", "/v2/user/invitation", `{"auto_group":{}}`, 400,
		`{"status":400,"body":{"ttl":{"error":"required"},"permissions":{"error":"required"},"auto_group":{"error":"invalid","value":{}}}}`)
	refused(t, s, AdminToken, "POST", "/v2/user/invitation", `{"ttl":0,"permissions":["admin"]}`, 400, `{"status":400,"body":{"ttl":{"error":"invalid","value":0}}}`)
	refused(t, s, AdminToken, "POST", "/v2/user/invitation", `{"ttl":1,"permissions":["partner_admin"]}`, 403, forbidden)
	refused(t, s, AdminToken, "POST", "/v2/user/invitation", `{"ttl":1,"permissions":["admin"],"client_id":5150}`, 403, forbidden)
}

func TestSecretReset(t *testing.T) {
	s := NewServer(t)
	refused(t, s, AdminToken, "POST", "/v2/user/70003/secret-reset", `{"password":"test-wrong"}`, 400, `{"status":400,"body":{"password":{"error":"wrong password"}}}`)
	refused(t, s, AdminToken, "POST", "/v2/user/70003/secret-reset", `{}`, 400, `{"status":400,"body":{"password":{"error":"required"}}}`)
	refused(t, s, AdminToken, "POST", "/v2/user/1/secret-reset", `{"password":"`+DefaultPassword+`"}`, 404, notFound)
	secret := call200(t, s, "POST", "/v2/user/70003/secret-reset", `{"password":"`+DefaultPassword+`"}`).object("body").str("secret")
	require.Len(t, secret, 40)
	// The password of the caller counts once it is changed.
	sendOK(t, s, AdminToken, "POST", "/v1/objects/user/update", `{"filter":{"id":70001},"fields":{"password":"test-password-2B"}}`)
	refused(t, s, AdminToken, "POST", "/v2/user/70003/secret-reset", `{"password":"`+DefaultPassword+`"}`, 400, `{"status":400,"body":{"password":{"error":"wrong password"}}}`)
	sendOK(t, s, AdminToken, "POST", "/v2/user/70003/secret-reset", `{"password":"test-password-2B"}`)
}
