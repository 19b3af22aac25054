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
	inPath := requests[0]
	inPath.Path = "/v2/token/validation/" + planted
	requests = append(requests, inPath)
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
		inJSON.Info("x", "v", v)
	}
	require.Contains(t, fmt.Sprint(inPath), "/v2/token/validation/")
	require.NotContains(t, log.String(), planted)
	require.Contains(t, log.String(), "wallarmtest.Request(users.me POST /v1/user: 200)")
}

// failures keeps what a test would say.
type failures struct {
	testing.TB
	texts []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

// TestUnknownRoutesShowNoSecrets of their paths.
func TestUnknownRoutesShowNoSecrets(t *testing.T) {
	f := &failures{TB: t}
	s := NewServer(f)
	for _, path := range []string{"/v9/x;token=hunter2", "/v2/token/validation/hunter2"} {
		resp, err := s.Client().Get(s.URL + path)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.NotEmpty(t, f.texts)
	require.Contains(t, f.texts[0], "GET /v9/x")
	require.NotContains(t, strings.Join(f.texts, "\n"), "hunter2")
}
