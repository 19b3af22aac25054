package wallarmtest

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

const viewsPath = "/v1/client/4711/attack-views"

func TestViews(t *testing.T) {
	s := NewServer(t, fixedClock())
	_, answer := send(t, s, AdminToken, "GET", viewsPath, "")
	require.JSONEq(t, `[{"id":1,"name":"All attacks","config":{},"visibility":"org","is_preset":true,"is_default":true}]`, answer)

	status, answer := send(t, s, AnalystToken, "POST", viewsPath,
		`{"name":"Payments, blocked only","description":"weekly look","visibility":"tenant","config":{"groupBy":"type","sorting":[{"id":"requests_count","desc":true}]}}`)
	require.Equal(t, http.StatusCreated, status)
	require.JSONEq(t, `{"id":41,"name":"Payments, blocked only","description":"weekly look","visibility":"tenant","is_preset":false,"is_default":false,
		"config":{"groupBy":"type","sorting":[{"id":"requests_count","desc":true}]},
		"created_at":"2026-08-04T12:00:00Z","updated_at":"2026-08-04T12:00:00Z"}`, answer)

	s.Advance(3600e9)
	changed := call200(t, s, "PUT", viewsPath+"/41", `{"name":"Payments"}`)
	require.Equal(t, "Payments weekly look 2026-08-04T13:00:00Z", changed.str("name")+" "+changed.str("description")+" "+changed.str("updated_at"))
	status, _ = send(t, s, AdminToken, "POST", viewsPath+"/41/set-default", "")
	require.Equal(t, http.StatusNoContent, status)
	status, answer = send(t, s, AdminToken, "POST", viewsPath+"/1/duplicate", `{"name":"All attacks"}`)
	require.Equal(t, http.StatusCreated, status)
	require.Contains(t, answer, `"id":42,"name":"All attacks"`, "names need not be unique")
	defaults := func() (out []int64) {
		_, answer := send(t, s, AdminToken, "GET", viewsPath, "")
		list, err := parseJSON([]byte(answer))
		require.NoError(t, err)
		for _, e := range list.([]any) {
			if e.(*object).bool("is_default") {
				out = append(out, e.(*object).int("id"))
			}
		}
		return out
	}
	require.Equal(t, []int64{41}, defaults())
	send(t, s, AdminToken, "POST", viewsPath+"/42/set-default", "")
	require.Equal(t, []int64{42}, defaults())
	status, answer = send(t, s, AdminToken, "DELETE", viewsPath+"/42", "")
	require.Equal(t, http.StatusNoContent, status)
	require.Empty(t, answer)
	require.Equal(t, []int64{1}, defaults(), "without a default of its own, a client has the preset")
	status, _ = send(t, s, AdminToken, "DELETE", viewsPath+"/42", "")
	require.Equal(t, http.StatusNotFound, status)
}

func TestViewsRefuse(t *testing.T) {
	s := NewServer(t)
	send(t, s, AdminToken, "POST", viewsPath, `{"name":"v","config":{}}`)
	for _, test := range []struct {
		token, method, path, body string
		status                    int
		want                      string
	}{
		{AdminToken, "POST", viewsPath, `{}`, 400, `{"status":400,"body":{"name":{"required":"name is required"},"config":{"required":"config is required"}}}`},
		{AdminToken, "POST", viewsPath, `{"name":"v","config":"x"}`, 400, `{"status":400,"body":{"config":{"invalid":"config is invalid"}}}`},
		{AdminToken, "POST", viewsPath, `{"name":"v","config":{},"visibility":"all"}`, 400, `{"status":400,"body":{"visibility":{"invalid":"visibility is invalid"}}}`},
		{AdminToken, "PUT", viewsPath + "/41", `{"visibility":"org"}`, 400, `{"status":400,"body":{"visibility":{"immutable":"visibility cannot be changed"}}}`},
		{AdminToken, "PUT", viewsPath + "/1", `{"name":"w"}`, 403, `{"status":403,"body":"Check permissions failed"}`},
		{AdminToken, "DELETE", viewsPath + "/1", ``, 403, `{"status":403,"body":"Check permissions failed"}`},
		{AuditorToken, "POST", viewsPath, `{"name":"v","config":{}}`, 403, `{"status":403,"body":"Check permissions failed"}`},
		{AdminToken, "GET", viewsPath + "/77", ``, 404, `{"status":404,"body":"Not found"}`},
		{AdminToken, "GET", "/v1/client/5150/attack-views", ``, 403, `{"status":403,"body":"Check permissions failed"}`},
	} {
		status, answer := send(t, s, test.token, test.method, test.path, test.body)
		require.Equal(t, test.status, status, "%s %s", test.method, test.path)
		require.JSONEq(t, test.want, answer)
	}
}

// TestViewsOfTheOrganization looks at views of a tenant from its main account
// and back.
func TestViewsOfTheOrganization(t *testing.T) {
	s := NewServer(t)
	create := func(client int64, visibility string) {
		status, answer := send(t, s, PartnerToken, "POST", fmt.Sprintf("/v1/client/%d/attack-views", client),
			fmt.Sprintf(`{"name":%q,"config":{},"visibility":%q}`, visibility, visibility))
		require.Equal(t, http.StatusCreated, status, answer)
	}
	create(TenantClientID, "org")
	create(TenantClientID, "tenant")
	_, answer := send(t, s, AdminToken, "GET", viewsPath, "")
	require.Contains(t, answer, `"id":41`)
	require.NotContains(t, answer, `"id":42`)
	status, _ := send(t, s, AdminToken, "PUT", viewsPath+"/41", `{"name":"x"}`)
	require.Equal(t, http.StatusForbidden, status, "a view of another tenant is not one's own")
	_, answer = send(t, s, OtherToken, "GET", "/v1/client/5150/attack-views", "")
	require.NotContains(t, answer, `"id":41`)
}
