package wallarm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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
		require.ErrorIs(t, err, ErrOutcomeUnknown, "%s: a list may be behind what was written", name)

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

func manyIDs(n int) []int64 {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	return ids
}

// removals are the changes in several calls of which nothing but the error tells what was done.
var removals = map[string]func(context.Context, *Client) error{
	"remove":       func(ctx context.Context, c *Client) error { return c.IPLists.Remove(ctx, IPSubnet, manyIDs(2500)) },
	"delete rules": func(ctx context.Context, c *Client) error { return c.IPLists.DeleteRules(ctx, manyIDs(2500)) },
}

func TestARemovalThatFailsOnItsWaySaysHowManyAreGone(t *testing.T) {
	for name, remove := range removals {
		for status, kind := range map[int]error{403: ErrForbidden, 404: ErrNotFound, 429: ErrRateLimited} {
			for calls := range 3 {
				left := calls
				client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
					if left--; left < 0 {
						w.WriteHeader(status)
					}
				}, WithDefaults(WithRetries(0)))
				err := remove(t.Context(), client)
				require.ErrorIs(t, err, kind, name)
				require.Len(t, server.requests(), calls+1, name)
				if calls == 0 {
					require.NotErrorIs(t, err, ErrOutcomeUnknown, name)
					continue
				}
				requirePartlyDone(t, err, name)
				require.ErrorContains(t, err, []string{1: "the first 1000 were removed", 2: "the first 2000 were removed"}[calls], name)
			}
		}
	}
}

func TestAPartOfAChangeIsNoRefusedArgument(t *testing.T) {
	changes := map[string]func(context.Context, *Client) error{
		"delete many": func(ctx context.Context, c *Client) error {
			result, err := c.Rules.DeleteMany(ctx, manyIDs(2500))
			require.Equal(t, manyIDs(2500)[1000:], result.Untried)
			return err
		},
		"add": func(ctx context.Context, c *Client) error {
			n, err := c.IPLists.Deny(ctx, manyAddresses(2500), forever)
			require.Equal(t, 1000, n)
			return err
		},
		"apply": func(ctx context.Context, c *Client) error {
			plan := &SyncPlan{ClientID: 4711, List: Denylist}
			for _, value := range Countries("AQ", "BV") {
				plan.Add = append(plan.Add, SyncEntry{IPValue: value, Terms: IPTerms{ExpiresAt: Forever, Reason: value.Value}})
			}
			result, err := c.IPLists.Apply(ctx, plan)
			require.Equal(t, 1, result.Added)
			return err
		},
		"apply after a removal": func(ctx context.Context, c *Client) error {
			// The update of one value takes the entry apart, and the other cannot be added again.
			entry := &IPEntry{ID: 1, List: Denylist, Kind: IPCountry, Values: []string{"AQ", "BV"}, ApplicationIDs: []int64{0}, ExpiresAt: At(Forever)}
			values := entry.IPValues()
			_, err := c.IPLists.Apply(ctx, &SyncPlan{
				ClientID: 4711, List: Denylist, Update: []SyncEntry{{values[1], IPTerms{ExpiresAt: Forever, Reason: "other"}, entry, ""}},
			})
			var lost *IPRestoreError
			require.ErrorAs(t, err, &lost)
			return err
		},
	}
	for name, change := range removals {
		changes[name] = change
	}
	for name, change := range changes {
		client, server := goodForClient(t, 1, answerJSON(`{"status":200,"body":[]}`))
		requirePartlyDone(t, change(t.Context(), client), name)
		require.Len(t, server.requests(), 1, name)
	}
	for name, remove := range removals {
		client, server := goodForClient(t, 0, answerJSON(`{"status":200}`))
		require.ErrorIs(t, remove(t.Context(), client), ErrInvalidArgument, name)
		require.Empty(t, server.requests(), "%s: nothing was sent", name)
	}
}

// TestTermsThatExpireOnTheWay are refused as they were when the plan came, but something was changed by then.
func TestTermsThatExpireOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := New(US, Token("test-token-lists"), WithDefaultClientID(4711), WithRoundTripper(roundTripper(func(r *http.Request) (*http.Response, error) {
			time.Sleep(10 * time.Second)
			return stubTransport{`{"status":200}`}.RoundTrip(r)
		})))
		require.NoError(t, err)
		values := Countries("AQ", "BV")
		result, err := client.IPLists.Apply(t.Context(), &SyncPlan{ClientID: 4711, List: Denylist, Add: []SyncEntry{
			{values[0], IPTerms{ExpiresAt: Forever}, nil, ""}, {values[1], IPTerms{ExpiresAt: time.Now().Add(5 * time.Second)}, nil, ""},
		}})
		requirePartlyDone(t, err, "apply")
		require.Equal(t, 1, result.Added)
	})
}

// TestAllCallsOfAChangeAreCheckedFirst: what only the last of them cannot carry is refused before the first is sent.
func TestAllCallsOfAChangeAreCheckedFirst(t *testing.T) {
	client, server := newTestClient(t, answerJSON(`{"status":200}`))
	for _, bad := range []string{"\xff", masked} {
		_, err := client.IPLists.Add(t.Context(), NewIPEntries{
			List: Denylist, Values: append(Addresses(manyAddresses(1500)...), Datacenters(bad)...), IPTerms: forever,
		})
		require.ErrorIs(t, err, ErrInvalidArgument)

		entries := make([]IPEntry, 1500)
		for i := range entries {
			entries[i] = IPEntry{ID: int64(i + 1), Kind: IPSubnet}
		}
		entries[1499].Kind = IPKind(bad)
		require.ErrorIs(t, client.IPLists.RemoveEntries(t.Context(), entries), ErrInvalidArgument)

		result, err := client.IPLists.Apply(t.Context(), &SyncPlan{ClientID: 4711, List: Denylist, Add: []SyncEntry{
			{Countries("AQ")[0], IPTerms{ExpiresAt: Forever}, nil, ""}, {Countries("BV")[0], IPTerms{ExpiresAt: Forever, Reason: bad}, nil, ""},
		}})
		require.ErrorIs(t, err, ErrInvalidArgument)
		require.Nil(t, result)
	}
	require.Empty(t, server.requests())
}

// TestARepeatThatTouchesNothing: the request before, whose answer was lost, may have done it all.
func TestARepeatThatTouchesNothing(t *testing.T) {
	for name, change := range map[string]func(context.Context, *Client) error{
		"user":   func(ctx context.Context, c *Client) error { _, err := c.Users.Disable(ctx, 5); return err },
		"tenant": func(ctx context.Context, c *Client) error { _, err := c.Clients.Disable(ctx, 5); return err },
		"vuln":   func(ctx context.Context, c *Client) error { _, err := c.Vulns.Close(ctx, 5); return err },
		"application": func(ctx context.Context, c *Client) error {
			return c.Applications.Rename(ctx, 5, "shop")
		},
	} {
		sent := 0
		client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
			if sent++; sent == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			_, _ = io.WriteString(w, `{"status":200,"body":[]}`)
		}, WithDefaults(WithWaits(time.Millisecond, time.Millisecond, time.Millisecond)))
		err := change(t.Context(), client)
		require.ErrorIs(t, err, ErrNotFound, name)
		require.ErrorIs(t, err, ErrOutcomeUnknown, name)
		require.Equal(t, 2, sent, name)
	}
}

func TestWhatAGatewaySaysOfAChange(t *testing.T) {
	for status, unknown := range map[int]bool{302: true, 303: true, 307: false, 400: false, 404: false, 408: true, 500: true} {
		client := echoing(t, Token("test-token-gateway"), func(*http.Request) (int, http.Header, string) { return status, http.Header{}, `` })
		_, err := client.Tokens.CreateShared(t.Context(), NewAPIToken{Name: "ci", Permissions: RoleAdmin})
		require.Equal(t, unknown, errors.Is(err, ErrOutcomeUnknown), status)
		if status < 400 {
			continue
		}
		client, _ = newTestClient(t, jsonAnswer(fmt.Sprintf(`{"status":%d,"body":"x"}`, status)))
		_, err = client.Tokens.CreateShared(t.Context(), NewAPIToken{Name: "ci", Permissions: RoleAdmin})
		require.Equal(t, unknown, errors.Is(err, ErrOutcomeUnknown), "in the envelope: %d", status)
	}
}

// TestAPageOfAGatewayDeletesNothing, while the API's own word that there is no such object is as good as a delete.
func TestAPageOfAGatewayDeletesNothing(t *testing.T) {
	for body, deleted := range map[string]bool{
		`{"status":404,"body":"Not found"}`: true, `{"status":404,"body":{"error":"node not found","value":5}}`: true, `{"error":"not found"}`: true, ``: true,
		" <html><title>404 Not Found</title></html>": false, "\ufeff<!DOCTYPE html><title>404</title>": false, "404 Not Found\n<html></html>": false,
		"404 page not found": false, "default backend - 404": false, `{"message":"no Route matched with those values"}`: false, `"Not found"`: false,
		`{"status":404,"bo`: false,
	} {
		client := echoing(t, Token("test-token-page"), func(*http.Request) (int, http.Header, string) { return 404, http.Header{}, body })
		for name, err := range map[string]error{
			"rule":    client.Rules.Delete(t.Context(), 5),
			"token":   client.Tokens.Delete(t.Context(), 5),
			"address": client.IPLists.Remove(t.Context(), IPSubnet, []int64{5}),
		} {
			require.Equal(t, deleted, err == nil, "%s: %v", name, err)
			require.True(t, deleted || errors.Is(err, ErrNotFound), name)
		}
	}
}

// TestATornRefusalDeletesNothing: nobody knows what a page says that cannot be unpacked, or breaks off before it begins.
func TestATornRefusalDeletesNothing(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"not gzip": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(404)
			_, _ = io.WriteString(w, "<html>404</html>")
		},
		"breaks off": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(404)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { answer(w) })
		require.ErrorIs(t, client.Rules.Delete(t.Context(), 5), ErrNotFound, name)
		require.ErrorIs(t, client.Users.Delete(t.Context(), 5), ErrNotFound, name)
	}
}

// TestWhatWasChangedHasAnID: an answer that says something else than what became of the object does not tell of a change that was made.
func TestWhatWasChangedHasAnID(t *testing.T) {
	for _, body := range []string{`{"id":0}`, `{}`, `{"error":"try again"}`, `{"id":null,"name":"x"}`} {
		client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":`+body+`}`))
		ctx := t.Context()
		_, rule := client.Rules.Create(ctx, NewRule{ScopeID: 5, Spec: VirtualPatch{Point: Point{Header("HOST")}, AttackType: AnyAttack}})
		_, user := client.Users.Create(ctx, NewUser{Email: "a@example.com", RealName: "A", Role: RoleAnalyst})
		_, node := client.Nodes.Create(ctx, NewNode{Hostname: "node"})
		_, application := client.Applications.Create(ctx, NewApplication{Name: "shop"})
		_, snapshot := client.Snapshots.Create(ctx, NewSnapshot{Title: "before"})
		_, address := client.IPLists.CreateRule(ctx, NewIPRule{List: Denylist, Values: Addresses("192.0.2.1"), IPTerms: IPTerms{Reason: "test", ExpiresAt: Forever}}, false)
		for name, err := range map[string]error{
			"rule": rule, "user": user, "node": node, "application": application, "snapshot": snapshot, "address": address,
		} {
			require.ErrorIs(t, err, ErrResponse, "%s: %s", name, body)
			require.ErrorIs(t, err, ErrOutcomeUnknown, "%s: %s", name, body)
		}
		require.Len(t, server.requests(), 6, "each was sent, and once")
		_, err := client.Tokens.Disable(ctx, 5)
		require.ErrorIs(t, err, ErrResponse, "an update may be repeated")
	}
}

// TestARemovalThatIsAnsweredByAPage: what was to stay is added again, and nobody may take that for a refusal.
func TestARemovalThatIsAnsweredByAPage(t *testing.T) {
	added := 0
	client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			_, _ = io.WriteString(w, `{"body":{"objects":[{"id":5,"list":"block","rule_type":"location","values":["FR","DE"],"application_ids":[0],"expired_at":33223139044}]}}`)
		case http.MethodDelete:
			w.WriteHeader(404)
			_, _ = io.WriteString(w, "<html>no route</html>")
		default:
			added++
			_, _ = io.WriteString(w, `{"status":200,"body":null}`)
		}
	})
	n, err := client.IPLists.RemoveValues(t.Context(), Denylist, Countries("FR"), WithClientID(1))
	require.Error(t, err)
	require.Zero(t, n)
	require.Equal(t, 1, added, "%v", err)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.ErrorIs(t, err, ErrNotFound)
}
