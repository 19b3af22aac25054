package wallarm

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// creation is a call that makes one object.
type creation struct {
	name string
	// kind is what the fake calls the objects.
	kind string
	make func(context.Context, *Client) error
	list func(context.Context, *Client) error
}

// second leaves the error of a call with a result.
func second[T any](_ T, err error) error { return err }

var creations = []creation{
	{"rule", "rules", func(ctx context.Context, c *Client) error {
		return second(c.Rules.Create(ctx, NewRule{Title: "double", Scope: Scope().Path("/double"), Spec: VirtualPatch{Point: Point{WholeURI()}, AttackType: AnyAttack}}))
	}, func(ctx context.Context, c *Client) error {
		return second(c.Rules.List(ctx, RuleFilter{}, PageOptions{}))
	}},
	{"user", "users", func(ctx context.Context, c *Client) error {
		return second(c.Users.Create(ctx, NewUser{
			Email: "double@example.com", RealName: "Double", Role: RoleAnalyst, Password: SecretOf("Test-password-1"),
		}))
	}, func(ctx context.Context, c *Client) error {
		return second(c.Users.List(ctx, UserFilter{}, PageOptions{}))
	}},
	{"node", "nodes", func(ctx context.Context, c *Client) error {
		return second(c.Nodes.Create(ctx, NewNode{Hostname: "double"}))
	}, func(ctx context.Context, c *Client) error {
		return second(c.Nodes.List(ctx, NodeFilter{}, PageOptions{}))
	}},
	{"application", "applications", func(ctx context.Context, c *Client) error {
		return second(c.Applications.Create(ctx, NewApplication{Name: "Double"}))
	}, func(ctx context.Context, c *Client) error {
		return second(c.Applications.List(ctx, ApplicationFilter{}, PageOptions{}))
	}},
	{"token", "api_tokens", func(ctx context.Context, c *Client) error {
		return second(c.Tokens.CreateShared(ctx, NewAPIToken{Name: "double", Permissions: RoleReadOnly}))
	}, func(ctx context.Context, c *Client) error {
		return second(c.Tokens.List(ctx, APITokenFilter{}))
	}},
	{"integration", "integrations", func(ctx context.Context, c *Client) error {
		return second(c.Integrations.Create(ctx, NewIntegration{
			Name: "double", Target: SlackTarget{WebhookURL: SecretOf("https://hooks.example.com/double")}, Events: EventsFor(IntegrationSlack, EventSystem),
		}))
	}, func(ctx context.Context, c *Client) error {
		return second(c.Integrations.List(ctx, IntegrationFilter{}))
	}},
	{"trigger", "triggers", func(ctx context.Context, c *Client) error {
		return second(c.Triggers.Create(ctx, TriggerSpec{Template: TriggerUserCreated, Name: "double", Actions: []TriggerAction{TriggerNotify{IntegrationIDs: []int64{1}}}}))
	}, func(ctx context.Context, c *Client) error { return second(c.Triggers.List(ctx)) }},
	{"API specification", "api_specs", func(ctx context.Context, c *Client) error {
		return second(c.APISpecs.Create(ctx, NewAPISpec{Title: "double", FileRemoteURL: SecretOf("https://specs.example.com/double.yaml")}))
	}, func(ctx context.Context, c *Client) error { return second(c.APISpecs.List(ctx, PageOptions{})) }},
	{"IP list entry", "ip_rules", func(ctx context.Context, c *Client) error {
		return second(c.IPLists.Deny(ctx, []string{"192.0.2.77"}, IPTerms{Reason: "double", ExpiresAt: Forever}))
	}, func(ctx context.Context, c *Client) error {
		return second(c.IPLists.List(ctx, IPFilter{}, PageOptions{}))
	}},
}

// TestNothingIsMadeTwice loses the answer of each create in several ways, with the fake and over real connections: what was made is made once, and
// the caller is told to look. A list into the same fault succeeds without a word.
func TestNothingIsMadeTwice(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		name string
		kind wallarmtest.FaultKind
		made int
	}{
		{"reset before", wallarmtest.FaultResetBefore, 0}, {"reset after", wallarmtest.FaultResetAfter, 1}, {"truncated", wallarmtest.FaultTruncate, 1},
		{"corrupt", wallarmtest.FaultCorruptGzip, 1}, {"an error that hides a success", wallarmtest.FaultStatusAfter, 1},
	} {
		for _, c := range creations {
			t.Run(c.name+", "+fault.name, func(t *testing.T) {
				t.Parallel()
				_, cloud := newCloud(t, wallarmtest.ExtendedToken)
				client, err := New(US, Token(wallarmtest.ExtendedToken), WithBaseURL(cloud.URL), WithDefaultClientID(wallarmtest.DefaultClientID),
					WithDefaults(WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
				require.NoError(t, err)
				require.Contains(t, cloud.Kinds(), c.kind)
				cloud.Inject(wallarmtest.Fault{Kind: fault.kind, Count: 1})
				err = c.make(t.Context(), client)
				require.ErrorIs(t, err, ErrOutcomeUnknown)
				require.Len(t, cloud.Requests(), 1)
				made := 0
				for _, object := range cloud.Objects(c.kind) {
					if strings.Contains(strings.ToLower(string(object)), `"double`) {
						made++
					}
				}
				require.Equal(t, fault.made, made)

				cloud.Inject(wallarmtest.Fault{Kind: fault.kind, Count: 1})
				require.NoError(t, c.list(t.Context(), client))
				require.Len(t, cloud.Requests(), 3)
			})
		}
	}
}

// TestARefusalInAnEnvelopeBehindALostAnswer: what the first attempt did is as unknown as behind a refusal by status.
func TestARefusalInAnEnvelopeBehindALostAnswer(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusForbidden} {
		var attempts atomic.Int32
		client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
			if attempts.Add(1) == 1 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, `{"status":403,"body":"Check permissions failed"}`)
		})
		_, err := client.Rules.Update(t.Context(), 5, RuleUpdate{Active: Set(false)})
		require.ErrorIs(t, err, ErrForbidden)
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		require.EqualValues(t, 2, attempts.Load())
		_, err = client.Rules.Update(t.Context(), 5, RuleUpdate{Active: Set(false)})
		require.ErrorIs(t, err, ErrForbidden)
		require.NotErrorIs(t, err, ErrOutcomeUnknown, "nothing was sent before")
	}
}
