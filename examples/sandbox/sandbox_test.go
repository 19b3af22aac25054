package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/examples/internal/cli"
)

// running is a sandbox in this process.
type running struct {
	env    map[string]string
	log    *buffer
	cancel context.CancelFunc
	done   chan error
}

// start runs a sandbox on a free port until the test stops it or ends.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	box := &running{log: &buffer{}, cancel: cancel, done: make(chan error, 1)}
	out := &announcement{whole: make(chan struct{})}
	go func() { box.done <- run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), out, box.log) }()
	select {
	case <-out.whole:
	case err := <-box.done:
		require.NoError(t, err)
		t.Fatal("the sandbox ended at once")
	}
	box.env = out.env()
	t.Cleanup(cancel)
	return box
}

func (box *running) stop(t *testing.T) {
	t.Helper()
	box.cancel()
	select {
	case err := <-box.done:
		require.NoError(t, err)
	case <-time.After(30 * time.Second):
		t.Fatal("the sandbox does not stop")
	}
}

func (box *running) post(t *testing.T, client *http.Client, path, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, box.env["WALLARM_API_HOST"]+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-WallarmApi-Token", box.env["WALLARM_API_TOKEN"])
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(data))
	return data
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// announcement tells when the sandbox has printed its last line.
type announcement struct {
	buffer
	whole chan struct{}
}

func (a *announcement) Write(p []byte) (int, error) {
	n, err := a.buffer.Write(p)
	if bytes.Contains(p, []byte("WALLARM_API_SECRET=")) {
		close(a.whole)
	}
	return n, err
}

func (a *announcement) env() map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(a.String()) {
		if assignment, found := strings.CutPrefix(strings.TrimSpace(line), "export "); found {
			name, value, _ := strings.Cut(assignment, "=")
			env[name] = strings.Trim(value, "'")
		}
	}
	return env
}

// items is the content of an answer, whatever its envelope.
func items(t *testing.T, answer []byte) []any {
	t.Helper()
	var doc struct {
		Status int
		Body   any
		Data   []any
	}
	require.NoError(t, json.Unmarshal(answer, &doc), string(answer))
	if doc.Data != nil {
		return doc.Data
	}
	switch body := doc.Body.(type) {
	case []any:
		return body
	case map[string]any:
		if list, isList := body["objects"].([]any); isList {
			return list
		}
		return []any{body}
	}
	return []any{doc.Status} // a status alone
}

const createRule = `{"type":"vpatch","clientid":4711,"attack_type":"any","point":[["uri"]],"action":[]}`

func TestStateIsKeptBetweenRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	count := func(box *running) int {
		return len(items(t, box.post(t, http.DefaultClient, "/v1/objects/hint", `{"filter":{"clientid":[4711]},"limit":100}`)))
	}
	first := start(t, "-state", file, "-save-every", "1ms", "-quiet")
	before := count(first)
	first.post(t, http.DefaultClient, "/v1/objects/hint/create", createRule)
	require.Eventually(t, func() bool { // now and then
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), `"vpatch"`)
	}, 20*time.Second, time.Millisecond)
	first.post(t, http.DefaultClient, "/v1/objects/hint/create", createRule)
	first.stop(t) // at the end
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077, "the state holds secrets")
	require.Empty(t, first.log.String())

	second := start(t, "-state", file, "-token", "test-token-second")
	require.Equal(t, before+2, count(second))
	second.stop(t)
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file is left")

	require.NoError(t, os.WriteFile(file, []byte("{\"format\":\"other\"}\n"), 0o600))
	err = run(t.Context(), []string{"-addr", "127.0.0.1:0", "-state", file}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "not a saved state")
}

func TestHTTPS(t *testing.T) {
	box := start(t, "-tls", "-events", "150")
	pem, err := os.ReadFile(box.env["SSL_CERT_FILE"])
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	ask := `{"filter":{"clientid":4711},"limit":1000}`
	require.Len(t, items(t, box.post(t, client, "/v1/objects/attack", ask)), 150)
	box.env["WALLARM_API_HOST"] = strings.Replace(box.env["WALLARM_API_HOST"], "127.0.0.1", "localhost", 1)
	require.Len(t, items(t, box.post(t, client, "/v1/objects/hit", ask)), 150)
	transport.CloseIdleConnections()
	box.stop(t)
	require.NoFileExists(t, box.env["SSL_CERT_FILE"])
}

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"-addr 0.0.0.0:8080", cli.Misused, "not a loopback address"},
		{"-addr :8080", cli.Misused, "not a loopback address"},
		{"-addr example.com:80", cli.Misused, "not a loopback address"},
		{"-addr 127.0.0.1", cli.Misused, "missing port"},
		{"-token=", cli.Misused, "-token"},
		{"-events -1", cli.Misused, "-events"},
		{"-save-every 0s", cli.Misused, "-save-every"},
		{"-save-every 1y", cli.Misused, "is no duration"},
		{"-nonsense", cli.Misused, "not defined"},
		{"extra", cli.Misused, "unexpected argument"},
		{"-state /dev/null/state", cli.Failed, "not a directory"},
		{"-addr 127.0.0.1:99999", cli.Failed, "invalid port"},
		{"-h", cli.OK, "-save-every interval"},
	} {
		var out, errs bytes.Buffer
		p := &cli.Program{Name: "examples/sandbox", Args: strings.Fields(test.args), Out: &out, Err: &errs}
		require.Equal(t, test.code, cli.Run(t.Context(), p, program), test.args)
		require.Contains(t, errs.String(), test.want)
		require.Empty(t, out.String())
	}
	s, err := parse(strings.Fields("-save-every 1d12h"), io.Discard)
	require.NoError(t, err)
	require.Equal(t, 36*time.Hour, s.saveEvery)
	for _, addr := range []string{"127.0.0.1:1", "127.8.0.1:1", "localhost:1", "[::1]:1"} {
		require.NoError(t, settings{addr: addr}.checkAddress())
	}
	require.NoError(t, settings{addr: "192.0.2.1:1", expose: true}.checkAddress())
}

func TestLogHidesSecrets(t *testing.T) {
	for target, want := range map[string]string{
		"/v2/node?limit=10&filter%5Bname%5D=a":  "/v2/node?limit=10&filter%5Bname%5D=a",
		"/v2/user/invite?invitation=hidden":     "/v2/user/invite?invitation=[redacted]",
		"/x?a=1&API_Token=hidden&b":             "/x?a=1&API_Token=[redacted]&b=",
		"/v2/token/validation/hidden":           "/v2/token/validation/[redacted]",
		"/x?%74oken=hidden&a%5Btoken%5D=hidden": "/x?%74oken=[redacted]&a%5Btoken%5D=[redacted]",
		"/x?file_remote_url=hidden&%zz=hidden":  "/x?file_remote_url=[redacted]&%zz=[redacted]",
		"/a%0Ab":                                "/a%0Ab",
		"/x?pwd=hidden&jwt=hidden&auth=hidden":  "/x?pwd=[redacted]&jwt=[redacted]&auth=[redacted]",
		"/x?a=1;token=hidden;sig=hidden&c=2;":   "/x?a=1;token=[redacted];sig=[redacted]&c=2",
		"/x?webhook_url=hidden&auth_type=basic": "/x?webhook_url=[redacted]&auth_type=basic",
		"/v2/x;a=1;token=hidden/y":              "/v2/x;a=1;token=[redacted]/y",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+target, nil)
		require.NoError(t, err)
		require.Equal(t, want, redactedTarget(r.URL))
	}
	require.Equal(t, `'a'\''b c'`, quote("a'b c"))
}

func TestLogHidesTheTokenEverywhere(t *testing.T) {
	const token = "test-token/of mine"
	box := start(t, "-token", token)
	for _, target := range []string{
		"/test-token%2Fof%20mine", "/v1/test-token/of%20mine/x", "/x?test-token/of+mine", "/x?a=b&=test-token%2fof+mine", "/x?q=%74est-token/of%20mine%0A",
		"/x?q=%2574est-token%252Fof%2520mine", "/ordinary?q=%22a",
	} {
		resp, err := http.Get(box.env["WALLARM_API_HOST"] + target)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	box.stop(t)
	text := box.log.String()
	require.Equal(t, 7, strings.Count(text, "GET /"), text)
	require.Equal(t, 7, strings.Count(text, "\n"), text)
	require.Equal(t, 7, strings.Count(text, redacted), "twice where it has no name: %s", text)
	require.Contains(t, text, "GET /ordinary?q=%22a ")
	require.NotContains(t, text, "of mine")
}

// TestLogHidesATokenThatLooksLikeAPair of a name and a value.
func TestLogHidesATokenThatLooksLikeAPair(t *testing.T) {
	for _, token := range []string{"Test-Secret-Tok+/ab==", "test-token=middle/part", "=test-token-behind", "test-token-plain="} {
		var lines bytes.Buffer
		l := newRequestLog(&lines, token)
		for _, query := range []string{
			token, "a=b&" + token, url.QueryEscape(token), url.PathEscape(token), strings.Replace(token, "=", "%3D", 1), strings.Replace(token, "b=", "b%3d", 1),
			"a=b&" + token + "&c=d", "x=" + token, "x" + token, token + "&" + token,
		} {
			lines.Reset()
			l.request(&http.Request{Method: "GET", URL: &url.URL{Path: "/v1/user", RawQuery: query}}, &watchedWriter{}, 0)
			for _, part := range strings.FieldsFunc(token, func(r rune) bool { return strings.ContainsRune("=+/", r) }) {
				if len(part) > 2 {
					require.NotContains(t, lines.String(), part, query)
				}
			}
			require.Contains(t, lines.String(), redacted, query)
		}
	}
}
