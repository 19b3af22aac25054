package wallarmtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// send makes one raw request and returns the status and the body.
func send(t *testing.T, s *Server, token, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		req.Header.Set("X-WallarmApi-Token", token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.Client().Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(data)
}

// call sends as the administrator, wants 200, and decodes the answer.
func call200(t *testing.T, s *Server, method, path, body string) *object {
	t.Helper()
	status, answer := send(t, s, AdminToken, method, path, body)
	require.Equal(t, http.StatusOK, status, answer)
	o, err := parseObject([]byte(answer))
	require.NoError(t, err, answer)
	return o
}

// bodyList is the body of an answer, a list of objects.
func bodyList(t *testing.T, answer *object) []*object {
	t.Helper()
	var out []*object
	for _, e := range answer.array("body") {
		out = append(out, e.(*object))
	}
	return out
}

func TestSampleIsServed(t *testing.T) {
	s := NewServer(t, WithSampleData())
	attacks := bodyList(t, call200(t, s, "POST", "/v1/objects/attack",
		`{"filter":{"clientid":[4711],"!vulnid":null},"limit":5,"offset":0,"order_by":"last_time","order_desc":true}`))
	require.Len(t, attacks, 5)
	for _, a := range attacks {
		require.NotNil(t, a.get("vulnid"))
	}
	id := string(appendJSON(nil, attacks[0].get("id")))
	hits := bodyList(t, call200(t, s, "POST", "/v1/objects/hit",
		`{"filter":{"clientid":4711,"attackid":[`+id+`]},"limit":500,"order_by":"time","order_desc":true}`))
	require.Len(t, hits, int(attacks[0].int("hits")))
	require.Equal(t, id, string(appendJSON(nil, hits[0].get("attackid"))))
	rules := bodyList(t, call200(t, s, "POST", "/v1/objects/hint",
		`{"filter":{"clientid":[4711],"system":false},"order_by":"id","limit":100,"offset":0}`))
	require.Len(t, rules, len(sampleRules)-1)
	require.True(t, json.Valid(bytes.TrimSpace(appendJSON(nil, rules[0]))))
}
