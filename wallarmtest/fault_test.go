package wallarmtest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const modeRule = `{"type":"wallarm_mode","mode":"block","clientid":4711,"action":[]}`

// attempt makes a create call and returns what a client sees, without
// following redirects and without retries.
func attempt(t *testing.T, s *Server, ctx context.Context, limit int64) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/objects/hint/create", strings.NewReader(modeRule))
	require.NoError(t, err)
	req.Header.Set("X-WallarmApi-Token", AdminToken)
	client := *s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	return resp, body, err
}

func TestFaults(t *testing.T) {
	const plenty = 1 << 20
	for _, test := range []struct {
		name    string
		fault   Fault
		applied bool
		check   func(t *testing.T, resp *http.Response, body []byte, err error)
	}{
		{
			"status", Fault{Status: 429, Body: `{"status":429,"body":"Rate limiting"}`, RetryAfter: "3"}, false,
			func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 429, resp.StatusCode)
				assert.Equal(t, "3", resp.Header.Get("Retry-After"))
				assert.JSONEq(t, `{"status":429,"body":"Rate limiting"}`, string(body))
			},
		},
		{
			"status after", Fault{Kind: FaultStatusAfter, Body: `{"status":500,"body":"Timed out connecting to server"}`}, true,
			func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 500, resp.StatusCode)
				assert.JSONEq(t, `{"status":500,"body":"Timed out connecting to server"}`, string(body))
			},
		},
		{
			"latency", Fault{Kind: FaultLatency, Delay: time.Millisecond}, true,
			func(t *testing.T, resp *http.Response, _ []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 200, resp.StatusCode)
			},
		},
		{"reset before", Fault{Kind: FaultResetBefore}, false, wantError},
		{"reset after", Fault{Kind: FaultResetAfter}, true, wantError},
		{"truncate", Fault{Kind: FaultTruncate}, true, wantError},
		{
			"endless", Fault{Kind: FaultEndless}, true,
			func(t *testing.T, _ *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Len(t, body, plenty)
			},
		},
		{"corrupt gzip", Fault{Kind: FaultCorruptGzip}, true, wantError},
		{
			"content type", Fault{Kind: FaultContentType}, true,
			func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Contains(t, resp.Header.Get("Content-Type"), "text/plain")
				assert.Contains(t, string(body), `"wallarm_mode"`)
			},
		},
		{
			"html", Fault{Kind: FaultHTML}, false,
			func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 502, resp.StatusCode)
				assert.Contains(t, string(body), "<title>502 Bad Gateway</title>")
			},
		},
		{
			"empty", Fault{Kind: FaultEmpty}, true,
			func(t *testing.T, resp *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 200, resp.StatusCode)
				assert.Empty(t, body)
			},
		},
		{
			"null", Fault{Kind: FaultNull}, true,
			func(t *testing.T, _ *http.Response, body []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, "null", string(body))
			},
		},
		{
			"redirect", Fault{Kind: FaultRedirect, URL: "https://other.example.net/"}, false,
			func(t *testing.T, resp *http.Response, _ []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 307, resp.StatusCode)
				assert.Equal(t, "https://other.example.net/", resp.Header.Get("Location"))
			},
		},
		{
			"lock", Fault{Kind: FaultLock}, false,
			func(t *testing.T, resp *http.Response, _ []byte, err error) {
				require.NoError(t, err)
				assert.Equal(t, 423, resp.StatusCode)
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := NewServer(t)
			test.fault.Op, test.fault.Count = "rules:2", 1
			injected := s.Inject(test.fault)
			resp, body, err := attempt(t, s, t.Context(), plenty)
			test.check(t, resp, body, err)
			want := 0
			if test.applied {
				want = 1
			}
			require.Len(t, s.Rules(), want)
			require.Equal(t, 1, injected.Hits())
			resp, _, err = attempt(t, s, t.Context(), plenty)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, resp.StatusCode, "the fault is used up")
		})
	}
}

func wantError(t *testing.T, _ *http.Response, _ []byte, err error) {
	t.Helper()
	require.Error(t, err)
}

func TestHangEndsWithClientOrServer(t *testing.T) {
	s := NewServer(t)
	s.Inject(Fault{Kind: FaultHang})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err := attempt(t, s, ctx, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	done := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL+"/v3/hint/1", nil)
		if err == nil {
			var resp *http.Response
			if resp, err = s.Client().Do(req); err == nil {
				_ = resp.Body.Close()
			}
		}
		done <- err
	}()
	require.Eventually(t, func() bool { return len(s.Requests()) == 2 }, 5*time.Second, time.Millisecond)
	s.Close()
	require.Error(t, <-done)
}

func TestLatencyEndsWithTheClient(t *testing.T) {
	s := NewServer(t)
	s.Inject(Fault{Kind: FaultLatency, Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, _, err := attempt(t, s, ctx, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Empty(t, s.Rules())
}

func TestFaultSelection(t *testing.T) {
	s := NewServer(t, WithSeed(3))
	tries := func(n int) (failed int) {
		for range n {
			if status, _ := send(t, s, AdminToken, "POST", "/v1/user", ""); status != 200 {
				failed++
			}
		}
		return failed
	}
	half := s.Inject(Fault{Probability: 0.5, Path: "/v1/us*", Status: 500})
	got := tries(100)
	require.Greater(t, got, 25)
	require.Less(t, got, 75)
	half.Remove()
	s.Inject(Fault{Skip: 2, Count: 1, Method: "POST", Status: 500})
	require.Equal(t, 1, tries(6))
	s.Inject(Fault{Status: 500, Match: func(r *http.Request) bool { return r.Header.Get("X-Never") != "" }})
	s.Inject(Fault{Status: 500, Op: "rules.create"})
	require.Zero(t, tries(3))
	s.Inject(Fault{Status: 500})
	s.ClearFaults()
	require.Zero(t, tries(1))
}

func TestEventualConsistency(t *testing.T) {
	s := NewServer(t, fixedClock())
	listed := func() int {
		return len(bodyList(t, call200(t, s, "POST", "/v1/objects/hint", `{"filter":{"clientid":[4711]}}`)))
	}
	s.Inject(Fault{Kind: FaultLag, Op: "rules", Lists: 2, Count: 1})
	s.Inject(Fault{Kind: FaultLag, Op: "rules", For: time.Minute, Count: 1})
	created := call200(t, s, "POST", "/v1/objects/hint/create", modeRule).object("body")
	require.Zero(t, listed())
	call200(t, s, "GET", fmt.Sprintf("/v3/hint/%d", created.int("id")), "")
	require.Zero(t, listed())
	require.Equal(t, 1, listed())
	call200(t, s, "POST", "/v1/objects/hint/create", modeRule)
	require.Equal(t, 1, listed())
	s.Advance(time.Minute)
	require.Equal(t, 2, listed())
}

func TestEventualConsistencyOfEvents(t *testing.T) {
	s := NewServer(t, fixedClock())
	listed := func(path string) int {
		return len(bodyList(t, call200(t, s, "POST", path, `{"filter":{"clientid":[4711]}}`)))
	}
	s.Inject(Fault{Kind: FaultLag, Op: "attacks", Lists: 2, Count: 1})
	s.Inject(Fault{Kind: FaultLag, Op: "hits", For: time.Minute, Count: 1})
	s.SeedAttacks(Attack{})
	require.Zero(t, listed("/v1/objects/attack"))
	require.Zero(t, listed("/v2/objects/attack"))
	require.Equal(t, 1, listed("/v1/objects/attack"))
	require.Zero(t, listed("/v1/objects/hit"))
	require.Zero(t, listed("/v1/objects/hit"))
	s.Advance(time.Minute)
	require.Equal(t, 1, listed("/v1/objects/hit"))
}

func TestGzipAnswers(t *testing.T) {
	s := NewServer(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v1/user", nil)
	require.NoError(t, err)
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := s.Client().Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	require.Equal(t, "gzip", resp.Header.Get("Content-Encoding"))
	unzipped, err := gzip.NewReader(resp.Body)
	require.NoError(t, err)
	body, err := io.ReadAll(unzipped)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(body, []byte(`{"status":403`)), "errors are compressed too")
}
