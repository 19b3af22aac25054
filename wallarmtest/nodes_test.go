package wallarmtest

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNodeIsCreatedListedAndDeleted(t *testing.T) {
	s := NewServer(t)
	made := call200(t, s, "POST", "/v2/node", `{"hostname":"edge-eu-2","type":"cloud_node","clientid":4711,"partner_mode":false}`).object("body")
	require.Greater(t, made.int("id"), int64(1)<<31)
	require.Len(t, made.str("token"), 64)
	require.Len(t, made.str("secret"), 64)
	require.False(t, made.has("requests_amount"))

	status, answer := send(t, s, AdminToken, "POST", "/v2/node", `{"hostname":"edge-eu-2","type":"node"}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.JSONEq(t, `{"status":400,"body":"Already exists"}`, answer)

	const query = "?filter%5Bclientid%5D%5B%5D=4711&filter%5B%21type%5D=fast_node&limit=1000&offset=0&order_by=hostname"
	listed := bodyList(t, call200(t, s, "GET", "/v2/node"+query, ""))
	require.Len(t, listed, 1)
	require.False(t, listed[0].has("secret"), "the secret is shown once")
	require.Equal(t, made.str("token"), listed[0].str("token"))
	status, answer = send(t, s, AuditorToken, "GET", "/v2/node"+query, "")
	require.Equal(t, http.StatusOK, status)
	require.NotContains(t, answer, made.str("token"))

	status, _ = send(t, s, AnalystToken, "DELETE", fmt.Sprintf("/v2/node/%d", made.int("id")), "")
	require.Equal(t, http.StatusForbidden, status)
	gone := call200(t, s, "DELETE", fmt.Sprintf("/v2/node/%d", made.int("id")), "").object("body")
	require.Equal(t, made.str("token"), gone.str("token"))
	status, answer = send(t, s, AdminToken, "DELETE", fmt.Sprintf("/v2/node/%d", made.int("id")), "")
	require.Equal(t, http.StatusNotFound, status)
	require.JSONEq(t, fmt.Sprintf(`{"status":404,"body":{"error":"node not found","value":%d}}`, made.int("id")), answer)
}

func TestNodeRefusals(t *testing.T) {
	s := NewServer(t)
	for body, want := range map[string]string{
		`{"hostname":""}`:               `{"status":400,"body":{"hostname":{"error":"can't be blank","value":""}}}`,
		`{"hostname":"x","type":"new"}`: `{"status":400,"body":{"type":{"error":"invalid","value":"new"}}}`,
	} {
		status, answer := send(t, s, AdminToken, "POST", "/v2/node", body)
		require.Equal(t, http.StatusBadRequest, status)
		require.JSONEq(t, want, answer)
	}
	status, _ := send(t, s, AdminToken, "POST", "/v2/node", `{"hostname":"x","partner_mode":true}`)
	require.Equal(t, http.StatusForbidden, status, "a multi-tenant node takes a global role")
	status, _ = send(t, s, PartnerToken, "POST", "/v2/node", `{"hostname":"x","partner_mode":true,"clientid":4712}`)
	require.Equal(t, http.StatusOK, status)
	status, _ = send(t, s, AdminToken, "POST", "/v2/node", `{"hostname":"x","clientid":5150}`)
	require.Equal(t, http.StatusForbidden, status)
}

func TestNodeUpdate(t *testing.T) {
	s := NewServer(t)
	id, err := s.Put("nodes", `{"type":"cloud_node","uuid":"u-1","hostname":"edge-1","partner_mode":false,"enabled":true}`)
	require.NoError(t, err)
	_, err = s.Put("nodes", `{"type":"node","uuid":"u-2","hostname":"edge-2","enabled":true}`)
	require.NoError(t, err)
	for _, request := range []struct{ query, body string }{{"?hostname=edge-3&partner_node=false", ""}, {"", `{"hostname":"edge-3","partner_mode":false}`}} {
		node := call200(t, s, "PUT", "/v2/node/"+id+request.query, request.body).object("body")
		require.Equal(t, "edge-3", node.str("hostname"))
	}
	status, answer := send(t, s, AdminToken, "PUT", "/v2/node/"+id, `{"hostname":"edge-4"}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.JSONEq(t, `{"status":400,"body":{"partner_node":{"error":"required"}}}`, answer)
	status, _ = send(t, s, AdminToken, "PUT", "/v2/node/"+id, `{"hostname":"edge-2","partner_mode":false}`)
	require.Equal(t, http.StatusBadRequest, status)
	status, _ = send(t, s, AdminToken, "PUT", "/v2/node/1", `{"partner_mode":false}`)
	require.Equal(t, http.StatusNotFound, status)
}

func TestNodeListsOfAllGenerations(t *testing.T) {
	s := NewServer(t)
	for i, node := range []string{
		`{"id":1,"type":"cloud_node","uuid":"u-1","hostname":"edge-1","ip":null,"active":true,"last_activity":30}`,
		`{"id":2,"type":"node_instance","uuid":"u-2","hostname":"edge-1-a","ip":"203.0.113.2","cloud_node_id":1,"active":true,"last_activity":20}`,
		`{"id":3,"type":"node","uuid":"u-3","hostname":"other","ip":"203.0.113.3","active":false,"last_activity":10}`,
		`{"id":4,"type":"node","uuid":"u-4","hostname":"theirs","clientid":5150}`,
	} {
		_, err := s.Put("nodes", node)
		require.NoError(t, err, i)
	}
	for query, want := range map[string]string{
		"":                "[1 3]",
		"?all_types=true": "[1 2 3]",
		"?filter[type]=node_instance&filter[cloud_node_id]=1": "[2]",
		"?filter[type][]=node&filter[type][]=cloud_node":      "[1 3]",
		"?query=edge":                        "[1]",
		"?query=203.0.113.3":                 "[3]",
		"?filter[active]=false":              "[3]",
		"?filter[uuid]=u-1":                  "[1]",
		"?order_by=hostname&order_desc=true": "[3 1]",
		"?limit=1&offset=1":                  "[3]",
	} {
		var ids []int64
		for _, node := range bodyList(t, call200(t, s, "GET", "/v2/node"+query, "")) {
			ids = append(ids, node.int("id"))
		}
		require.Equal(t, want, fmt.Sprint(ids), query)
	}
	page := call200(t, s, "GET", "/v3/node?limit=1&order_by=last_activity&order_desc=true", "")
	require.Len(t, page.array("objects"), 1)
	require.EqualValues(t, 1, page.int("next_offset"))
	page = call200(t, s, "GET", "/v3/node?limit=1&offset=1&order_by=last_activity&order_desc=true", "")
	require.False(t, page.has("next_offset"))

	first := bodyList(t, call200(t, s, "POST", "/v1/objects/node", `{"filter":{"hostname":"other"},"limit":10,"offset":0,"order_by":"id"}`))
	require.Len(t, first, 1)
	require.Equal(t, "u-3", first[0].str("id"))
	require.False(t, first[0].has("token"))
	status, answer := send(t, s, AdminToken, "POST", "/v1/objects/node", `{"filter":{"uuid":"nothing"}}`)
	require.Equal(t, http.StatusNotFound, status)
	require.JSONEq(t, `{"status":404,"body":{"error":"node not found"}}`, answer)

	changed := bodyList(t, call200(t, s, "POST", "/v1/objects/node/update", `{"filter":{"uuid":"u-3"},"fields":{"enabled":false}}`))
	require.Len(t, changed, 1)
	require.Contains(t, string(s.Object("nodes", 3)), `"enabled":false`)
	for _, body := range []string{`{"filter":{"uuid":"u-3"}}`, `{"filter":{"uuid":"u-3"},"fields":{"enabled":1}}`, `{"fields":{"enabled":true}}`} {
		status, _ := send(t, s, AdminToken, "POST", "/v1/objects/node/update", body)
		require.Equal(t, http.StatusBadRequest, status, body)
	}
}
