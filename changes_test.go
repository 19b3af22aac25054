package wallarm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// goodFor returns credentials that are empty after some attempts, as those of a file that is being written.
func goodFor(attempts int) Authenticator {
	return CredentialsFunc(func(context.Context) (Authenticator, error) {
		if attempts--; attempts < 0 {
			return Token(""), nil
		}
		return Token("test-token-rotating"), nil
	})
}

// goodForClient is a client of a server with such credentials.
func goodForClient(t *testing.T, attempts int, answer http.HandlerFunc) (*Client, *answerer) {
	t.Helper()
	client, server := newTestClient(t, answer)
	rotating, err := New(US, goodFor(attempts), WithBaseURL(client.BaseURL()), WithDefaultClientID(4711))
	require.NoError(t, err)
	return rotating, server
}

// requirePartlyDone checks that an error does not say that nothing was sent, or that the same call may be made again.
func requirePartlyDone(t *testing.T, err error, name string) {
	t.Helper()
	require.ErrorIs(t, err, ErrOutcomeUnknown, name)
	require.NotErrorIs(t, err, ErrInvalidArgument, name)
	var argument *ArgumentError
	require.False(t, errors.As(err, &argument), name)
	require.False(t, IsTemporary(err), name)
}

// updates are the changes whose answer may not show what was changed, so that it is read.
var updates = map[string]func(context.Context, *Client) error{
	"users.update": func(ctx context.Context, c *Client) error {
		_, err := c.Users.Update(ctx, 77, UserUpdate{Enabled: Set(true)})
		return err
	},
	"users.disable":   func(ctx context.Context, c *Client) error { _, err := c.Users.Disable(ctx, 77); return err },
	"clients.disable": func(ctx context.Context, c *Client) error { _, err := c.Clients.Disable(ctx, 77); return err },
	"views.update": func(ctx context.Context, c *Client) error {
		_, err := c.AttackViews.Update(ctx, 77, AttackViewUpdate{Name: Set("new")})
		return err
	},
}

func isChange(r *http.Request) bool {
	return r.Method == http.MethodPut || strings.HasSuffix(r.URL.Path, "/update")
}

func TestAChangeThatCannotBeReadBack(t *testing.T) {
	for name, update := range updates {
		for status, kind := range map[int]error{400: ErrValidation, 403: ErrForbidden, 404: ErrNotFound, 429: ErrRateLimited, 503: ErrServer} {
			client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
				if !isChange(r) {
					w.WriteHeader(status)
				}
				_, _ = io.WriteString(w, `{"status":200,"body":null}`)
			}, WithDefaults(WithRetries(0)))
			err := update(t.Context(), client)
			requirePartlyDone(t, err, name)
			require.ErrorIs(t, err, kind, name)
			require.Len(t, server.requests(), 2, name)
		}

		client, _ := newTestClient(t, answerJSON(`{"status":200,"body":null}`))
		err := update(t.Context(), client)
		require.ErrorIs(t, err, ErrNotFound, name)
		require.NotErrorIs(t, err, ErrOutcomeUnknown, "%s: there is none, so none was changed", name)

		client, _ = newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
			answer := `{"status":200,"body":null}`
			if !isChange(r) {
				answer = `<html>`
			}
			_, _ = io.WriteString(w, answer)
		})
		err = update(t.Context(), client)
		requirePartlyDone(t, err, name)
		require.ErrorIs(t, err, ErrResponse, name)

		client, server := goodForClient(t, 1, answerJSON(`{"status":200,"body":null}`))
		requirePartlyDone(t, update(t.Context(), client), name)
		require.Len(t, server.requests(), 1, name)

		ctx, cancel := context.WithCancel(t.Context())
		client, _ = newTestClient(t, answerJSON(`{"status":200,"body":null}`), WithHook(func(context.Context, Attempt) { cancel() }))
		err = update(ctx, client)
		requirePartlyDone(t, err, name)
		require.ErrorIs(t, err, context.Canceled, name)
	}
}

// TestCredentialsThatEndBeforeARepeat: the attempt before may have been applied.
func TestCredentialsThatEndBeforeARepeat(t *testing.T) {
	for name, update := range updates {
		synctest.Test(t, func(t *testing.T) {
			sent := 0
			client, err := New(US, goodFor(1), WithDefaultClientID(4711), WithRoundTripper(roundTripper(func(r *http.Request) (*http.Response, error) {
				sent++
				answer, err := stubTransport{`{}`}.RoundTrip(r)
				answer.StatusCode = http.StatusServiceUnavailable
				return answer, err
			})))
			require.NoError(t, err)
			err = update(t.Context(), client)
			requirePartlyDone(t, err, name)
			require.ErrorIs(t, err, ErrServer, name)
			require.Equal(t, 1, sent, name)
		})
	}
}
