package wallarmtest

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRequestsShowNoCredentials when somebody prints them, or the cloud that
// keeps them.
func TestRequestsShowNoCredentials(t *testing.T) {
	const planted = "test-token-planted"
	s := NewServer(t)
	s.AddToken(Token{Value: planted})
	r, err := http.NewRequest("POST", s.URL+"/v1/user;token="+planted+"?token="+planted, strings.NewReader(`{"password":"`+planted+`"}`))
	require.NoError(t, err)
	r.URL.Path = "/v1/user"
	r.Header.Set("X-WallarmApi-Token", planted)
	resp, err := s.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	requests := s.Requests()
	require.Len(t, requests, 1)
	require.Contains(t, string(requests[0].Body), planted)
	requests[0].Path += ";token=" + planted
	var log bytes.Buffer
	text, inJSON := slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))
	for _, v := range []any{
		s, s.Cloud, requests, requests[0], &requests[0], struct{ R []Request }{requests}, struct{ R *Request }{&requests[0]}, struct{ C *Cloud }{s.Cloud},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			shown := fmt.Sprintf(verb, v)
			require.NotContains(t, shown, planted, "%s of %T", verb, v)
			require.NotContains(t, shown, fmt.Sprintf("%x", planted), "%s of %T", verb, v)
			require.NotContains(t, shown, "116 101 115 116 45", "%s of %T", verb, v)
		}
		text.Info("x", "v", v)
	}
	inJSON.Info("x", "request", requests[0], "cloud", s.Cloud, "server", s)
	require.NotContains(t, log.String(), planted)
	require.Contains(t, log.String(), "wallarmtest.Request(users.me POST /v1/user: 200)")
}
