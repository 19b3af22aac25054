package wallarmtest

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestApplications(t *testing.T) {
	s := NewServer(t)
	const list = `{"limit":500,"offset":0,"filter":{"clientid":[4711]}}`
	names := func() string {
		text := ""
		for _, o := range bodyList(t, call200(t, s, "POST", "/v1/objects/pool", list)) {
			text += fmt.Sprintf("%d=%s ", o.int("id"), o.str("name"))
		}
		return text
	}
	require.Equal(t, "-1=default ", names())
	made := call200(t, s, "POST", "/v1/objects/pool/create", `{"id":42,"clientid":4711,"name":"Checkout"}`)
	require.JSONEq(t, `{"status":200,"body":{"id":42,"clientid":4711,"name":"Checkout","deleted":false}}`, string(appendJSON(nil, made)))
	status, answer := send(t, s, AdminToken, "POST", "/v1/objects/pool/create", `{"id":42,"clientid":4711,"name":"Again"}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.JSONEq(t, `{"status":400,"body":"Already exists"}`, answer)
	status, _ = send(t, s, AdminToken, "POST", "/v1/objects/pool/create", `{"id":-1,"clientid":4711,"name":"Again"}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.EqualValues(t, 43, call200(t, s, "POST", "/v1/objects/pool/create", `{"clientid":4711,"name":"Shop"}`).object("body").int("id"))

	// The same id in another client is another application.
	status, _ = send(t, s, OtherToken, "POST", "/v1/objects/pool/create", `{"id":42,"clientid":5150,"name":"Theirs"}`)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "-1=default 42=Checkout 43=Shop ", names())

	renamed := call200(t, s, "POST", "/v1/objects/pool/update", `{"filter":{"id":42,"clientid":[4711]},"fields":{"name":"Checkout v2"}}`)
	require.True(t, renamed.has("body") && renamed.get("body") == nil)
	call200(t, s, "POST", "/v1/objects/pool/update", `{"filter":{"id":-1,"clientid":[4711]},"fields":{"name":"Rest"}}`)
	require.Equal(t, "-1=Rest 42=Checkout v2 43=Shop ", names())
	byQuery := bodyList(t, call200(t, s, "GET", "/v1/objects/pool?filter[clientid]=4711&query=Check&limit=10", ""))
	require.Len(t, byQuery, 1)

	require.JSONEq(t, `{"status":200,"body":[42]}`,
		string(appendJSON(nil, call200(t, s, "POST", "/v1/objects/pool/delete", `{"filter":{"id":42,"clientid":4711}}`))))
	for _, id := range []int{42, -1} {
		body := fmt.Sprintf(`{"filter":{"id":%d,"clientid":4711}}`, id)
		require.JSONEq(t, `{"status":200,"body":[]}`, string(appendJSON(nil, call200(t, s, "POST", "/v1/objects/pool/delete", body))))
	}
	require.Equal(t, "-1=Rest 43=Shop ", names())
	status, answer = send(t, s, OtherToken, "POST", "/v1/objects/pool", `{"filter":{"clientid":[5150],"name":"Theirs"},"limit":1}`)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, answer, `"id":42`)
	for _, body := range []string{`{"filter":{"id":1}}`, `{}`} {
		status, _ = send(t, s, AdminToken, "POST", "/v1/objects/pool/delete", body)
		require.Equal(t, http.StatusBadRequest, status, "a delete must name the client")
	}
}
