package wallarm

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

const proxyPassword = "test-token-of-the-proxy"

// forward makes a proxy for plain http whose answers are made of the credentials that it is given.
func forward(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, encoded, plain string)) (address string) {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, encoded, _ := strings.Cut(r.Header.Get("Proxy-Authorization"), " ")
		plain, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(plain) == 0 {
			t.Error("the proxy was given no credentials")
		}
		answer(w, r, encoded, string(plain))
	}))
	t.Cleanup(proxy.Close)
	return proxy.Listener.Addr().String()
}

// behind makes a client that sends in plain text through whatever proxy choose returns.
func behind(t *testing.T, authenticator Authenticator, through http.RoundTripper, options ...Option) *Client {
	t.Helper()
	options = append([]Option{WithBaseURL("http://api.example.com"), WithPlainHTTP(), WithRoundTripper(through), WithDefaultClientID(1)}, options...)
	client, err := New(US, authenticator, options...)
	require.NoError(t, err)
	return client
}

// toldByAll is what an error says, and the answer that it holds.
func toldByAll(err error) string {
	said := toldBy(err)
	var failure *CallError
	if errors.As(err, &failure) && failure.Last != nil {
		said += toldBy(failure.Last)
	}
	return said
}

// TestAProxyThatRepeatsItsCredentialsInAnAnswer of success: over plain http it is the proxy who writes the answer.
func TestAProxyThatRepeatsItsCredentialsInAnAnswer(t *testing.T) {
	for _, text := range []string{
		"<html>hello %s, %s</html>", `{"status":400,"body":"no %s %s"}`, `{"status":200,"body":{"%s":"%s"`, `{"status":200,"body":{"id":"%s %s"}}`, `{"status":200,"body":{"id":1}}`,
	} {
		address := forward(t, func(w http.ResponseWriter, _ *http.Request, encoded, plain string) {
			w.Header().Set("X-Request-Id", encoded)
			w.Header().Set("X-Seen", plain)
			fmt.Fprintf(w, text, encoded, plain)
		})
		through := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: address, User: url.UserPassword("proxy-user", proxyPassword)})}
		t.Cleanup(through.CloseIdleConnections)
		wrapped := roundTripperFunc(func(r *http.Request) (*http.Response, error) { return through.RoundTrip(r) })
		for _, rounds := range []http.RoundTripper{through, wrapped} {
			hooked := ""
			client := behind(t, Token("test-token-good"), rounds, WithHook(func(_ context.Context, a Attempt) { hooked += dumps(a) }))
			var response Response
			_, err := client.Users.Me(t.Context(), WithResponse(&response))
			require.Equal(t, 200, response.StatusCode)
			require.Equal(t, masked, response.RequestID)
			file, fileErr := client.Hits.Raw(t.Context(), EventID{Index: "a", Doc: "b"}, WithResponse(&response))
			require.NoError(t, fileErr)
			require.NoError(t, file.Close())
			shown := dumps(response) + hooked
			if err != nil {
				shown += shownOf(err) + toldByAll(err)
			}
			requireNoSecret(t, text, shown, proxyPassword)
			requireNoSecret(t, text, shown, base64.RawStdEncoding.EncodeToString([]byte("proxy-user:"+proxyPassword)))
		}
	}
}

// TestAProxyThatBreaksOff behind a header that repeats its credentials, which hooks see.
func TestAProxyThatBreaksOff(t *testing.T) {
	address := forward(t, func(w http.ResponseWriter, _ *http.Request, _, plain string) {
		w.Header().Set("X-Seen", plain)
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	through := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: address, User: url.UserPassword("proxy-user", proxyPassword)})}
	var seen []Attempt
	client := behind(t, Token("test-token-good"), through, WithHook(func(_ context.Context, a Attempt) { seen = append(seen, a) }), WithDefaults(WithRetries(0)))
	_, err := client.Users.Me(t.Context())
	require.Error(t, err)
	require.Len(t, seen, 1)
	require.Equal(t, masked, seen[0].Header.Get("X-Seen"))
}

// TestAProxyThatIsAnotherEachTime: what an attempt was given is masked, not what the next one would be.
func TestAProxyThatIsAnotherEachTime(t *testing.T) {
	for _, status := range []int{200, 403, 503} {
		address := forward(t, func(w http.ResponseWriter, _ *http.Request, encoded, plain string) {
			w.Header().Set("X-Seen", plain)
			w.WriteHeader(status)
			fmt.Fprintf(w, "<html>%s %s</html>", encoded, plain)
		})
		var asked atomic.Int64
		through := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
			password := fmt.Sprintf("%d-%s", asked.Add(1), proxyPassword)
			return &url.URL{Scheme: "http", Host: address, User: url.UserPassword("proxy-user", password)}, nil
		}}
		t.Cleanup(through.CloseIdleConnections)
		client := behind(t, Token("test-token-good"), through, WithDefaults(WithRetries(1), WithWaits(1, 1, 1)))
		for n := range 3 {
			var response Response
			_, err := client.Rules.Get(t.Context(), 1, WithResponse(&response))
			require.Error(t, err)
			shown := toldByAll(err) + fmt.Sprint(response)
			require.NotContains(t, shown, proxyPassword, n)
			for i := range asked.Load() {
				encoded := base64.RawStdEncoding.EncodeToString(fmt.Appendf(nil, "proxy-user:%d-%s", i+1, proxyPassword))
				require.NotContains(t, shown, encoded, n)
			}
			require.EqualValues(t, response.Attempts, asked.Swap(0), "nobody but the transport asks for a proxy")
		}
	}
}

// TestAProxyWhoseURLCannotBeParsed: net/url quotes what it takes for the port, which may be the beginning of the password.
func TestAProxyWhoseURLCannotBeParsed(t *testing.T) {
	for _, text := range []string{"/x", "?x", "#x", "%zz", " x", "\x7f"} {
		through := &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
			proxy, err := url.Parse("http://proxy-user:" + proxyPassword + text + "@proxy.example.com:3128")
			if err != nil {
				err = fmt.Errorf("the proxy: %w", err)
			}
			return proxy, err
		}}
		_, err := behind(t, Token("test-token-good"), through, WithDefaults(WithRetries(0))).Rules.Get(t.Context(), 1)
		require.ErrorContains(t, err, "a URL cannot be parsed", text)
		require.NotContains(t, toldByAll(err), proxyPassword, text)
	}
}

// TestAPageThatArrivesInPieces in place of a list: its title is shown if it has come, but no part of a credential at the end of what has come.
func TestAPageThatArrivesInPieces(t *testing.T) {
	const token, password = "Q-test-token-planted-0123456789", "Q-test-token-of-the-proxy"
	for _, secret := range []string{token, password} {
		for part := range len(secret) {
			address := forward(t, func(w http.ResponseWriter, r *http.Request, _, _ string) {
				_, _ = io.WriteString(w, "<html><title>hello</title><title>"+secret[:part])
				w.(http.Flusher).Flush()
				// Whoever sees that this is no list does not wait for the rest.
				<-r.Context().Done()
			})
			through := &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: address, User: url.UserPassword("proxy-user", password)})}
			client := behind(t, Token(token), through)
			for _, err := range Stream[Rule](t.Context(), client, "GET", "/x", nil) {
				shown := toldByAll(err)
				require.Contains(t, shown, "<title>hello</title>")
				require.NotContains(t, shown, "Q", "%d characters of %s", part, secret)
			}
		}
	}
}
