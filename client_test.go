package wallarm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/transport"
)

// headerAuth and authFunc are authenticators as users write them.
type headerAuth struct{ name string }

func (a *headerAuth) Authenticate(_ context.Context, header http.Header) error {
	header.Set(a.name, "test-token-own")
	return nil
}

type authFunc func(http.Header)

func (f authFunc) Authenticate(_ context.Context, header http.Header) error {
	f(header)
	return nil
}

func TestNewRefusesBadInput(t *testing.T) {
	good := Token("test-token-good")
	tests := map[string]struct {
		region  Region
		auth    Authenticator
		options []Option
	}{
		"no region":            {Region{}, good, nil},
		"no authenticator":     {US, nil, nil},
		"nil pointer":          {US, (*tokenAuth)(nil), nil},
		"nil pointer of users": {US, (*headerAuth)(nil), nil},
		"nil function":         {US, authFunc(nil), nil},
		"empty token":          {US, Token(""), nil},
		"blank token":          {US, Token(" \t"), nil},
		"token behind a blank": {US, Token(" test-token"), nil},
		"token with line end":  {US, Token("test-token\n"), nil},
		"token of two lines":   {US, Token("test-token\r\nX-Evil: 1"), nil},
		"token with NUL":       {US, Token("test\x00token"), nil},
		"empty uuid":           {US, UUIDSecret("", "test-token-secret"), nil},
		"empty secret":         {US, UUIDSecret("0b9c1f6e-1111-4222-8333-4445556667aa", ""), nil},
		"no provider":          {US, CredentialsFunc(nil), nil},
		"empty base URL":       {US, good, []Option{WithBaseURL(" ")}},
		"base URL of a slash":  {US, good, []Option{WithBaseURL("/")}},
		"URL without scheme":   {US, good, []Option{WithBaseURL("api.example.com")}},
		"URL with odd scheme":  {US, good, []Option{WithBaseURL("ftp://api.example.com")}},
		"URL without host":     {US, good, []Option{WithBaseURL("https://")}},
		"URL with odd port":    {US, good, []Option{WithBaseURL("https://api.example.com:65536")}},
		"URL with port 0":      {US, good, []Option{WithBaseURL("https://api.example.com:0")}},
		"URL that is none":     {US, good, []Option{WithBaseURL("https://%zz")}},
		"URL with credentials": {US, good, []Option{WithBaseURL("https://user:test-token@api.example.com")}},
		"URL with query":       {US, good, []Option{WithBaseURL("https://api.example.com?x=1")}},
		"URL with fragment":    {US, good, []Option{WithBaseURL("https://api.example.com#x")}},
		"plain http":           {US, good, []Option{WithBaseURL("http://api.example.com")}},
		"nil HTTP client":      {US, good, []Option{WithHTTPClient(nil)}},
		"nil round tripper":    {US, good, []Option{WithRoundTripper(nil)}},
		"nil transport":        {US, good, []Option{WithRoundTripper((*http.Transport)(nil))}},
		"client without one":   {US, good, []Option{WithHTTPClient(&http.Client{Transport: (*http.Transport)(nil)})}},
		"logger of nothing":    {US, good, []Option{WithLogger(new(slog.Logger))}},
		"application name":     {US, good, []Option{WithApplication("a\r\nb")}},
		"no rate":              {US, good, []Option{WithRateLimit(0, 1)}},
		"no burst":             {US, good, []Option{WithRateLimit(1, 0)}},
		"client id":            {US, good, []Option{WithDefaultClientID(0)}},
		"defaults":             {US, good, []Option{WithDefaults(WithRetries(-1))}},
		"negative wait":        {US, good, []Option{WithDefaults(WithWaits(-1, 0, 0))}},
		"negative longest":     {US, good, []Option{WithDefaults(WithWaits(0, -1, 0))}},
		"negative lock":        {US, good, []Option{WithDefaults(WithWaits(0, 0, -1))}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, err := New(test.region, test.auth, test.options...)
			require.ErrorIs(t, err, ErrInvalidArgument)
			require.Nil(t, client)
			require.NotContains(t, err.Error(), "test-token")
		})
	}
}

func TestNewAccepts(t *testing.T) {
	for base, want := range map[string]string{
		"https://api.example.com/":       "https://api.example.com",
		"https://api.example.com:8443":   "https://api.example.com:8443",
		"https://api.example.com/prefix": "https://api.example.com/prefix",
		"http://127.0.0.1:8080":          "http://127.0.0.1:8080",
		"http://localhost:8080/":         "http://localhost:8080",
		"http://[::1]:8080":              "http://[::1]:8080",
	} {
		client, err := New(Region{}, Token("test-token-good"), WithBaseURL(base), nil)
		require.NoError(t, err, base)
		require.Equal(t, want, client.BaseURL())
	}
	client, err := New(EU, Token("test-token-good"), WithBaseURL("http://api.example.com"), WithPlainHTTP(), WithDefaults(nil, WithWaits(0, 0, 0)))
	require.NoError(t, err)
	require.Equal(t, transport.DefaultPolicy, client.core.defaults.policy, "a zero leaves the default")
	require.Equal(t, "http://api.example.com", client.BaseURL())
}

// TestPlainHTTPStaysOnThisMachine: what a proxy of the environment takes, or a name server may answer for, is not loopback.
func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	for _, host := range []string{"localhost", "127.0.0.1", "127.8.9.10", "[::1]", "[::ffff:127.0.0.1]"} {
		_, err := New(US, Token("test-token-good"), WithBaseURL("http://"+host+":8080"))
		require.NoError(t, err, host)
		base, err := hostToURL(host + ":8080")
		require.NoError(t, err)
		require.Equal(t, "http://"+host+":8080", base)
	}
	for _, host := range []string{
		"api.localhost", "localhost.", "LOCALHOST", "Localhost", "localhost.localdomain", "127.1", "127.0.0.1.", "2130706433", "0x7f.0.0.1", "0.0.0.0",
		"[::]", "[::1%25lo]", "[fe80::1%25lo]", "127.0.0.1.example.com",
	} {
		_, err := New(US, Token("test-token-good"), WithBaseURL("http://"+host+":8080"))
		require.ErrorIs(t, err, ErrInvalidArgument, host)
		require.Contains(t, err.Error(), "WithPlainHTTP", host)
		_, err = New(US, Token("test-token-good"), WithBaseURL("http://"+host+":8080"), WithPlainHTTP())
		require.NoError(t, err, host)
		base, err := hostToURL(host)
		if strings.ContainsAny(host, ".:") {
			require.NoError(t, err)
			require.Equal(t, "https://"+host, base)
		} else {
			require.ErrorIs(t, err, ErrInvalidArgument, "one word, which is a name of nothing: %s", host)
		}
		base, err = hostToURL(host + ":8080")
		require.NoError(t, err)
		require.Equal(t, "https://"+host+":8080", base)
	}
}

// TestATransportThatRepeatsIsRefused: it would send a create again, and follow a redirect with the token.
func TestATransportThatRepeatsIsRefused(t *testing.T) {
	retrying := retryablehttp.NewClient()
	for _, option := range []Option{WithHTTPClient(retrying.StandardClient()), WithRoundTripper(&retryablehttp.RoundTripper{})} {
		_, err := New(US, Token("test-token-good"), option)
		require.ErrorIs(t, err, ErrInvalidArgument)
		require.ErrorContains(t, err, "go-retryablehttp")
	}
	_, err := New(US, Token("test-token-good"), WithHTTPClient(retrying.HTTPClient), WithRoundTripper(retrying.HTTPClient.Transport))
	require.NoError(t, err, "what is behind it is a plain one")
}

func TestTheCallersTransportIsUsed(t *testing.T) {
	called := 0
	rt := roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		called++
		return stubTransport{userAnswer}.RoundTrip(r)
	})
	for _, option := range []Option{WithHTTPClient(&http.Client{Transport: rt}), WithRoundTripper(rt)} {
		client, err := New(US, Token("test-token"), option)
		require.NoError(t, err)
		_, err = client.Users.Me(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, 2, called)
	pool, ok := (&config{httpClient: &http.Client{}}).newHTTPClient().Transport.(*http.Transport)
	require.True(t, ok)
	require.NotSame(t, http.DefaultTransport, pool)
	require.Greater(t, pool.MaxIdleConnsPerHost, http.DefaultMaxIdleConnsPerHost, "a pool for many goroutines")
}

func TestParseRegion(t *testing.T) {
	for text, want := range map[string]Region{
		"us": US, "US": US, " us1 ": US, "https://us1.api.wallarm.com": US, "us1.api.wallarm.com": US, "https://us1.api.wallarm.com/": US,
		"eu": EU, "EU1": EU, "api.wallarm.com": EU, "me": ME, "me1": ME,
	} {
		got, err := ParseRegion(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "uk", "https://evil.example.com", "api.wallarm.com.example.com", "us2"} {
		_, err := ParseRegion(text)
		require.ErrorIs(t, err, ErrInvalidArgument, text)
	}
	var region Region
	require.NoError(t, json.Unmarshal([]byte(`"eu"`), &region))
	require.Equal(t, EU, region)
	require.Error(t, json.Unmarshal([]byte(`"moon"`), &region))
	text, err := json.Marshal(US)
	require.NoError(t, err)
	require.Equal(t, `"US"`, string(text))
	require.Equal(t, "https://us1.api.wallarm.com", US.BaseURL())
	require.Equal(t, "https://api.wallarm.com", EU.BaseURL())
	require.Equal(t, "https://me1.api.wallarm.com", ME.BaseURL())
}

func okUser(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, userAnswer) }

func TestTokenTravelsUnderBothNames(t *testing.T) {
	client, server := newTestClient(t, okUser)
	_, err := client.Users.Me(t.Context())
	require.NoError(t, err)
	header := server.requests()[0].Header
	require.Equal(t, []string{"test-token-fixture"}, header.Values("WallarmApi-Token"))
	require.Equal(t, []string{"test-token-fixture"}, header.Values("X-WallarmApi-Token"))
	require.Empty(t, header.Get("X-WallarmAPI-UUID"))
	require.Empty(t, header.Get("Authorization"))
	require.Equal(t, "gzip", header.Get("Accept-Encoding"))
	require.Equal(t, "application/json", header.Get("Accept"))
	require.Equal(t, "wallarm-sdk-go/"+Version, header.Get("User-Agent"))
}

func TestLegacyPairTravelsAlone(t *testing.T) {
	_, server := newTestClient(t, okUser)
	base, _ := newTestClient(t, server.ServeHTTP)
	client, err := New(US, UUIDSecret("0b9c1f6e-1111-4222-8333-4445556667aa", "test-token-legacy"), WithBaseURL(base.BaseURL()), WithApplication("exporter/2"))
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	require.NoError(t, err)
	header := server.requests()[0].Header
	require.Equal(t, "0b9c1f6e-1111-4222-8333-4445556667aa", header.Get("X-WallarmAPI-UUID"))
	require.Equal(t, "test-token-legacy", header.Get("X-WallarmAPI-Secret"))
	require.Empty(t, header.Get("WallarmApi-Token"))
	require.Empty(t, header.Get("X-WallarmApi-Token"))
	require.Equal(t, "exporter/2 wallarm-sdk-go/"+Version, header.Get("User-Agent"))
}

func TestRotatingCredentials(t *testing.T) {
	var n atomic.Int64
	_, server := newTestClient(t, okUser)
	base, _ := newTestClient(t, server.ServeHTTP)
	client, err := New(US, CredentialsFunc(func(context.Context) (Authenticator, error) {
		switch n.Add(1) {
		case 1:
			return Token("test-token-one"), nil
		case 2:
			return UUIDSecret("uuid-two", "test-token-two"), nil
		case 3:
			return nil, errors.New("the vault is sealed")
		case 4:
			return nil, nil
		case 5:
			return (*tokenAuth)(nil), nil
		default:
			return Token("test-token\nbroken"), nil
		}
	}), WithBaseURL(base.BaseURL()))
	require.NoError(t, err)
	require.Zero(t, n.Load(), "New asks nobody")
	for range 2 {
		_, err = client.Users.Me(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, "test-token-one", server.requests()[0].Header.Get("WallarmApi-Token"))
	require.Empty(t, server.requests()[1].Header.Get("WallarmApi-Token"), "never both schemes")
	require.Equal(t, "test-token-two", server.requests()[1].Header.Get("X-WallarmAPI-Secret"))
	for range 4 {
		_, err = client.Users.Me(t.Context())
		require.Error(t, err)
	}
	require.Len(t, server.requests(), 2, "without credentials nothing is sent")
}

func TestClientIDIsAskedForOnce(t *testing.T) {
	var asked, lists atomic.Int64
	release := make(chan struct{})
	_, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/user" {
			asked.Add(1)
			<-release
			_, _ = io.WriteString(w, userAnswer)
			return
		}
		lists.Add(1)
		_, _ = io.WriteString(w, `{"status":200,"body":[]}`)
	})
	base, _ := newTestClient(t, server.ServeHTTP)
	client, err := New(US, Token("test-token-once"), WithBaseURL(base.BaseURL()))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := client.Attacks.List(context.Background(), AttackFilter{}, PageOptions{})
			require.NoError(t, err)
		})
	}
	close(release)
	wg.Wait()
	require.EqualValues(t, 1, asked.Load())
	require.EqualValues(t, 20, lists.Load())
	id, err := client.ClientID(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 5150, id)
	id, err = client.Tenant(7).ClientID(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 7, id)
	id, err = client.ClientID(t.Context(), WithClientID(8))
	require.NoError(t, err)
	require.EqualValues(t, 8, id)
	_, err = client.Tenant(0).Attacks.List(t.Context(), AttackFilter{}, PageOptions{})
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.EqualValues(t, 1, asked.Load(), "never again")
}

func TestAClientIDThatIsNone(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":200,"body":{"id":7,"client_id":0}}`)
	})
	client, err := New(US, Token("test-token"), WithBaseURL(client.BaseURL()))
	require.NoError(t, err)
	_, err = client.ClientID(t.Context())
	require.ErrorIs(t, err, ErrResponse)
	_, err = client.Rules.List(t.Context(), RuleFilter{}, PageOptions{})
	require.ErrorIs(t, err, ErrResponse)
	for _, sent := range server.requests() {
		require.Equal(t, "/v1/user", sent.Path, "nothing is asked for client 0")
	}
	var none context.Context
	_, err = client.ClientID(none)
	require.ErrorIs(t, err, ErrInvalidArgument)
}

func TestAClientIDThatCannotBeHad(t *testing.T) {
	var n atomic.Int64
	_, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			w.WriteHeader(403)
			_, _ = io.WriteString(w, `{"status":403,"body":"User not authenticated"}`)
			return
		}
		_, _ = io.WriteString(w, userAnswer)
	})
	base, _ := newTestClient(t, server.ServeHTTP)
	client, err := New(US, Token("test-token-once"), WithBaseURL(base.BaseURL()))
	require.NoError(t, err)
	_, err = client.Attacks.Count(t.Context(), AttackFilter{})
	require.ErrorIs(t, err, ErrUnauthenticated)
	id, err := client.ClientID(t.Context())
	require.NoError(t, err, "a failure is not kept")
	require.EqualValues(t, 5150, id)
}

func TestTheCallersObjectsStayAsTheyAre(t *testing.T) {
	transport := &http.Transport{}
	httpClient := &http.Client{Transport: transport, Timeout: time.Minute}
	_, err := New(US, Token("test-token"), WithHTTPClient(httpClient))
	require.NoError(t, err)
	require.Same(t, transport, httpClient.Transport)
	require.Nil(t, httpClient.CheckRedirect)

	filter := AttackFilter{Types: []AttackType{AttackSQLi}, Not: &AttackFilter{Types: []AttackType{AttackWarn}}}
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status":200,"body":[]}`) })
	_, err = client.Incidents.List(t.Context(), filter, PageOptions{})
	require.NoError(t, err)
	require.Equal(t, AttackFilter{Types: []AttackType{AttackSQLi}, Not: &AttackFilter{Types: []AttackType{AttackWarn}}}, filter)
}

func TestLogsOfAFailure(t *testing.T) {
	var logged bytes.Buffer
	client, err := New(US, Token("test-token"), WithRoundTripper(roundTripperFunc(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("the line is\ndown")
	})), WithLogger(slog.New(slog.NewTextHandler(&logged, nil))), WithDefaults(WithRetries(0)))
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	require.Error(t, err)
	require.Contains(t, logged.String(), `error="the line is down"`)
	require.NotContains(t, logged.String(), "status=")
}

// TestATenantWithoutAnIDMakesNoCalls: also those that go by the id of an object alone, which would act for whatever the credentials reach.
func TestATenantWithoutAnIDMakesNoCalls(t *testing.T) {
	client, server := newTestClient(t, okUser)
	for _, id := range []int64{0, -5} {
		tenant := client.Tenant(id)
		for name, call := range map[string]func() error{
			"rule":    func() error { return tenant.Rules.Delete(t.Context(), 1) },
			"user":    func() error { _, err := tenant.Users.Disable(t.Context(), 1); return err },
			"node":    func() error { return tenant.Nodes.Delete(t.Context(), 1) },
			"call":    func() error { return tenant.Call(t.Context(), "GET", "/v1/user", nil, nil) },
			"own id":  func() error { _, err := tenant.ClientID(t.Context()); return err },
			"with id": func() error { return tenant.Rules.Delete(t.Context(), 1, WithClientID(4711)) },
		} {
			require.ErrorIs(t, call(), ErrInvalidArgument, name)
		}
	}
	require.Empty(t, server.requests())
}

func TestNilAndZeroDoNotPanic(t *testing.T) {
	var none *Client
	require.Equal(t, "wallarm.Client(none)", none.String())
	_, err := none.ClientID(t.Context())
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = (&Client{}).ClientID(t.Context())
	require.ErrorIs(t, err, ErrInvalidArgument)
	client, server := newTestClient(t, okUser)
	//lint:ignore SA1012 a nil context must not panic
	_, err = client.Users.Me(nil) //nolint:staticcheck
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, err = client.Users.Me(t.Context(), nil)
	require.NoError(t, err, "a nil option is none")
	require.Len(t, server.requests(), 1)
	for range client.Attacks.All(t.Context(), AttackFilter{Time: Between(time.Unix(10, 0), time.Unix(5, 0))}) {
		continue
	}
	_, err = client.Attacks.List(t.Context(), AttackFilter{Time: Between(time.Unix(10, 0), time.Unix(5, 0))}, PageOptions{})
	require.ErrorIs(t, err, ErrInvalidArgument)
	require.Len(t, server.requests(), 1)
}

func TestCall(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v9/fails":
			w.WriteHeader(503)
		case "/v9/csv":
			_, _ = io.WriteString(w, "a,b\n1,2\n")
		default:
			_, _ = io.WriteString(w, `{"status":200,"body":{"new":true}}`)
		}
	}, WithDefaults(WithRetries(2)))
	var out struct {
		Body struct {
			New bool `json:"new"`
		} `json:"body"`
	}
	var meta Response
	err := client.Call(t.Context(), "post", "/v9/new/thing?a=1&a=2&b=x%20y", map[string]any{"k": []int{1}}, &out, WithHeader("X-Time-Zone", "Europe/Berlin"), WithResponse(&meta))
	require.NoError(t, err)
	require.True(t, out.Body.New)
	require.Equal(t, 200, meta.StatusCode)
	require.Equal(t, "call", meta.Operation)
	sent := server.requests()[0]
	require.Equal(t, "POST /v9/new/thing", sent.Method+" "+sent.Path)
	require.Equal(t, url.Values{"a": {"1", "2"}, "b": {"x y"}}, sent.Query)
	require.JSONEq(t, `{"k":[1]}`, string(sent.Body))
	require.Equal(t, "Europe/Berlin", sent.Header.Get("X-Time-Zone"))

	var raw RawJSON
	require.NoError(t, client.Call(t.Context(), "GET", "/v9/new", nil, &raw))
	require.JSONEq(t, `{"status":200,"body":{"new":true}}`, string(raw))
	require.Empty(t, server.requests()[1].Body)
	var data []byte
	require.NoError(t, client.Call(t.Context(), "PUT", "/v9/new", RawJSON(`{"x":1.50}`), &data))
	require.Equal(t, `{"x":1.50}`, string(server.requests()[2].Body))
	var file bytes.Buffer
	require.NoError(t, client.Call(t.Context(), "GET", "/v9/csv", nil, &file))
	require.Equal(t, "a,b\n1,2\n", file.String())
	require.NoError(t, client.Call(t.Context(), "DELETE", "/v9/new", nil, nil))
	require.NoError(t, client.Call(t.Context(), "PUT", "/v4/ip_rules/1", url.Values{"a": {"b c"}}, nil))
	require.Equal(t, "a=b+c", string(server.requests()[5].Body))

	count := func(f func() error) (int, error) {
		before := len(server.requests())
		err := f()
		return len(server.requests()) - before, err
	}
	n, err := count(func() error { return client.Call(t.Context(), "POST", "/v9/fails", nil, nil) })
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.Equal(t, 1, n, "a raw POST is of class once")
	n, err = count(func() error {
		return client.Call(t.Context(), "POST", "/v9/fails", nil, nil, WithReplayClass(ReplayRead))
	})
	require.ErrorIs(t, err, ErrServer)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
	require.Equal(t, 3, n)
	n, _ = count(func() error { return client.Call(t.Context(), "GET", "/v9/fails", nil, nil) })
	require.Equal(t, 3, n)

	n, _ = count(func() error {
		for _, path := range []string{
			"", "v1/user", "https://elsewhere.example.net/", "//elsewhere.example.net/x", "/a/../b", "/a/./b", "/a/%2e%2e/b", "/a#f", "/a%2fb", `/a\b`, "/a?x=%zz", "/{id}", "/\x00",
		} {
			require.ErrorIs(t, client.Call(t.Context(), "GET", path, nil, nil), ErrInvalidArgument, path)
		}
		require.ErrorIs(t, client.Call(t.Context(), "BREW", "/x", nil, nil), ErrInvalidArgument)
		require.ErrorIs(t, client.Call(t.Context(), "POST", "/x", func() {}, nil), ErrInvalidArgument)
		return nil
	})
	require.Zero(t, n, "bad input meets an error before anything is sent")
}

func TestPathParameters(t *testing.T) {
	path, raw, err := fillPath("/v1/clients/{id}/x/{name}", []any{int64(5), "a b:c"})
	require.NoError(t, err)
	require.Equal(t, "/v1/clients/5/x/a b:c", path)
	require.Equal(t, "/v1/clients/5/x/a%20b:c", raw)
	for _, bad := range []any{"", ".", "..", "...", "a/b", `a\b`, "a..b", "a%2fb", "a?b", "a#b", "a\nb", int64(0), int64(-1), uint64(0), 1.5, nil} {
		_, _, err := fillPath("/v1/x/{id}", []any{bad})
		require.ErrorIs(t, err, ErrInvalidArgument, "%v", bad)
	}
	_, _, err = fillPath("/v1/x/{id}", nil)
	require.ErrorIs(t, err, ErrInvalidArgument)
	_, _, err = fillPath("/v1/x", []any{int64(1)})
	require.ErrorIs(t, err, ErrInvalidArgument)
}

func TestBaseURLWithAPath(t *testing.T) {
	_, server := newTestClient(t, okUser)
	base, _ := newTestClient(t, server.ServeHTTP)
	client, err := New(US, Token("test-token"), WithBaseURL(base.BaseURL()+"/wallarm/"))
	require.NoError(t, err)
	_, err = client.Users.Me(t.Context())
	require.NoError(t, err)
	require.Equal(t, "/wallarm/v1/user", server.requests()[0].Path)
}

func TestLogsAndHooks(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var attempts []Attempt
	n := 0
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.WriteHeader(503)
			_, _ = io.WriteString(w, "secret body")
			return
		}
		_, _ = io.WriteString(w, userAnswer)
	}, WithLogger(logger), WithHook(func(_ context.Context, a Attempt) { attempts = append(attempts, a) }))
	_, err := client.Users.Me(t.Context())
	require.NoError(t, err)
	require.Len(t, attempts, 2)
	require.Equal(t, "users.me", attempts[0].Operation)
	require.Equal(t, 503, attempts[0].Status)
	text := logged.String()
	require.Equal(t, 2, strings.Count(text, "\n"))
	require.Contains(t, text, "level=WARN")
	require.Contains(t, text, "level=DEBUG")
	require.Contains(t, text, "operation=users.me")
	require.Contains(t, text, "retry_in=")
	require.Contains(t, text, "status=503")
	require.Contains(t, text, "status=200")
	require.NotContains(t, text, "error=")
	for _, hidden := range []string{"test-token", "secret body", "ops@example.com"} {
		require.NotContains(t, text, hidden)
	}
}

func TestNothingShowsTheCredentials(t *testing.T) {
	const token = "test-token-planted-0123456789"
	auths := []Authenticator{Token(token), UUIDSecret(token, token), CredentialsFunc(func(context.Context) (Authenticator, error) { return Token(token), nil })}
	for _, auth := range auths {
		client, err := New(US, auth)
		require.NoError(t, err)
		holder := struct {
			Auth   Authenticator
			Client *Client
			hidden *Client
			Secret Secret
			List   []Secret
			Map    map[string]Secret
		}{auth, client, client, SecretOf(token), []Secret{SecretOf(token)}, map[string]Secret{"a": SecretOf(token)}}
		var shown strings.Builder
		for _, v := range []any{auth, client, *client, client.Users, holder, &holder, SecretOf(token), []any{SecretOf(token)}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&shown, verb+"\n", v)
			}
			data, err := json.Marshal(v)
			fmt.Fprintf(&shown, "%s %v\n", data, err)
			slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "v", v)
			slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "v", v)
		}
		require.NotContains(t, shown.String(), token)
		require.NotContains(t, shown.String(), fmt.Sprintf("%x", token))
	}
}

func TestSecretsTravel(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {})
	require.NoError(t, client.Call(t.Context(), "POST", "/x", map[string]any{"password": SecretOf("test-token-inside"), "list": []Secret{SecretOf("test-token-listed")}}, nil))
	require.JSONEq(t, `{"password":"test-token-inside","list":["test-token-listed"]}`, string(server.requests()[0].Body))
}

func TestNewFromEnv(t *testing.T) {
	clear := func(t *testing.T) {
		for _, name := range []string{EnvToken, EnvUUID, EnvSecret, EnvHost, EnvClientID, EnvRegion} {
			t.Setenv(name, "")
		}
	}
	tests := []struct {
		name string
		env  map[string]string
		base string
		fail bool
	}{
		{"nothing", nil, "", true},
		{"token", map[string]string{EnvToken: "test-token"}, "https://api.wallarm.com", false},
		{"token with a line end", map[string]string{EnvToken: "test-token\n"}, "https://api.wallarm.com", false},
		{"region", map[string]string{EnvToken: "test-token", EnvRegion: "US"}, "https://us1.api.wallarm.com", false},
		{"unknown region", map[string]string{EnvToken: "test-token", EnvRegion: "moon"}, "", true},
		{"host wins over region", map[string]string{EnvToken: "test-token", EnvRegion: "us", EnvHost: "https://wallarm.example.com/"}, "https://wallarm.example.com", false},
		{"bare host", map[string]string{EnvToken: "test-token", EnvHost: "us1.api.wallarm.com"}, "https://us1.api.wallarm.com", false},
		{"bare loopback", map[string]string{EnvToken: "test-token", EnvHost: "127.0.0.1:8080"}, "http://127.0.0.1:8080", false},
		{"bare localhost", map[string]string{EnvToken: "test-token", EnvHost: "localhost:8080"}, "http://localhost:8080", false},
		{"bare name below localhost", map[string]string{EnvToken: "test-token", EnvHost: "api.localhost:8080"}, "https://api.localhost:8080", false},
		{"word with a port", map[string]string{EnvToken: "test-token", EnvHost: "wallarm:8080"}, "https://wallarm:8080", false},
		{"word with a scheme", map[string]string{EnvToken: "test-token", EnvHost: "https://wallarm"}, "https://wallarm", false},
		{"token in place of a host", map[string]string{EnvToken: "test-token", EnvHost: "hunter2hunter2hunter2hunter2"}, "", true},
		{"token with slashes", map[string]string{EnvToken: "test-token", EnvHost: "hunter2hunter2/hunter2.hunter2=="}, "", true},
		{"token of parts", map[string]string{EnvToken: "test-token", EnvHost: "hunter2." + strings.Repeat("hunter2", 10) + ".hunter2"}, "", true},
		{"plain http below localhost", map[string]string{EnvToken: "test-token", EnvHost: "http://api.localhost:8080"}, "", true},
		{"plain http", map[string]string{EnvToken: "test-token", EnvHost: "http://wallarm.example.com"}, "", true},
		{"pair", map[string]string{EnvUUID: "uuid", EnvSecret: "test-token"}, "https://api.wallarm.com", false},
		{"other half a pair", map[string]string{EnvSecret: "test-token"}, "", true},
		{"half a pair", map[string]string{EnvUUID: "uuid"}, "", true},
		{"client id", map[string]string{EnvToken: "test-token", EnvClientID: "12"}, "https://api.wallarm.com", false},
		{"odd client id", map[string]string{EnvToken: "test-token", EnvClientID: "twelve"}, "", true},
		{"negative client id", map[string]string{EnvToken: "test-token", EnvClientID: "-3"}, "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			clear(t)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			client, err := NewFromEnv(WithApplication("x"))
			if test.fail {
				require.ErrorIs(t, err, ErrInvalidArgument)
				require.NotContains(t, err.Error(), "hunter2")
				require.Equal(t, test.name == "nothing", strings.Contains(err.Error(), EnvToken), "%v", err)
				require.Equal(t, strings.HasSuffix(test.name, "half a pair"), strings.Contains(err.Error(), "go together"), "%v", err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.base, client.BaseURL())
			if test.env[EnvClientID] != "" {
				id, err := client.ClientID(t.Context())
				require.NoError(t, err)
				require.EqualValues(t, 12, id)
			}
		})
	}
}
