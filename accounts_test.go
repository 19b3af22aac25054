package wallarm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	_ = fixture(usersList, func(ctx context.Context, c *Client) (any, error) {
		return c.Users.List(ctx, UserFilter{Email: "ops@example.com", Not: &UserFilter{ID: 70155}}, PageOptions{})
	})
	_ = fixture(usersSearch, func(ctx context.Context, c *Client) (any, error) {
		return c.Users.Search(ctx, UserQuery{Query: "ops", Active: Set(false)}, PageOptions{Limit: 20, Offset: 40, OrderBy: "email", Order: Descending})
	})
	_ = fixture(usersCount, func(ctx context.Context, c *Client) (any, error) {
		return c.Users.Count(ctx, UserQuery{Query: "ops", Active: Set(true)})
	})
	_ = fixture(usersCreate, func(ctx context.Context, c *Client) (any, error) {
		return c.Users.Create(ctx, NewUser{
			Email: "dev@example.com", RealName: "Dev Account", Password: SecretOf("test-password-1A"), Role: RoleAnalyst, Enabled: Set(false),
			Phone: "+10000000000", JobTitle: "Tester", Notifications: map[string]NotificationChannels{"system": {Email: true}},
			Extra: Extra{"components": RawJSON(`["waf"]`)},
		})
	})
	_ = fixture(usersUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.Users.UpdateMatching(ctx, UserFilter{Email: "ops@example.com"}, UserUpdate{
			Enabled: Set(false), RealName: Set("Ops"), Phone: Null[string](), ResultsPerPage: Set[int64](0), Role: Set(RoleReadOnly),
			Password: SecretOf("test-password-2B"), JobTitle: Set(""), SearchTemplates: Set(map[string]string{}), DefaultPool: Set("main"),
			Timezone: Set("UTC"), ClientID: Set[int64](4711), SSOAllowAPICredentials: Set(false),
			Notifications: Set(map[string]NotificationChannels{"system": {}}),
		})
	})
	_ = fixture(usersDelete, func(ctx context.Context, c *Client) (any, error) {
		return c.Users.DeleteMatching(ctx, UserFilter{ID: 70155})
	})
	_ = fixture(usersInvite, func(ctx context.Context, c *Client) (any, error) {
		return c.Users.Invite(ctx, NewInvitation{
			TTL: 86400, Role: RoleGlobalAnalyst, Limit: 1, Email: "dev@example.com", GroupIDs: []int64{12},
			AutoGroup: &AutoGroup{Roles: []Role{RoleGlobalReadOnly}, ClientIDs: []int64{4712}},
		})
	})
	_ = fixture(usersResetSecret, func(ctx context.Context, c *Client) (any, error) {
		return c.Users.ResetSecret(ctx, 70112, SecretOf("test-password-1A"))
	})
)

// answersInTurn returns a handler that gives one answer after the other, and the last one for ever.
func answersInTurn(bodies ...string) http.HandlerFunc {
	next := make(chan string, len(bodies))
	for _, body := range bodies[:len(bodies)-1] {
		next <- body
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		select {
		case body := <-next:
			_, _ = io.WriteString(w, body)
		default:
			_, _ = io.WriteString(w, bodies[len(bodies)-1])
		}
	}
}

// requireRefused checks that each call is refused before anything is sent.
func requireRefused(t *testing.T, calls map[string]func(context.Context, *Client) error) {
	t.Helper()
	client, server := newTestClient(t, answersInTurn(`{"status":200,"body":[]}`))
	for name, call := range calls {
		require.ErrorIs(t, call(t.Context(), client), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests(), "something was sent")
}

func TestUserCallsRefuse(t *testing.T) {
	create := func(u NewUser) func(context.Context, *Client) error {
		return func(ctx context.Context, c *Client) error {
			_, err := c.Users.Create(ctx, u)
			return err
		}
	}
	update := func(id int64, u UserUpdate) func(context.Context, *Client) error {
		return func(ctx context.Context, c *Client) error {
			_, err := c.Users.Update(ctx, id, u)
			return err
		}
	}
	matching := func(f UserFilter) func(context.Context, *Client) error {
		return func(ctx context.Context, c *Client) error {
			_, err := c.Users.DeleteMatching(ctx, f)
			_, err2 := c.Users.UpdateMatching(ctx, f, UserUpdate{Enabled: Set(false)})
			if err == nil || err2 == nil {
				return fmt.Errorf("delete: %w, update: %w", err, err2)
			}
			return err
		}
	}
	invite := func(i NewInvitation) func(context.Context, *Client) error {
		return func(ctx context.Context, c *Client) error {
			_, err := c.Users.Invite(ctx, i)
			return err
		}
	}
	good := NewUser{Email: "a@example.com", RealName: "A B", Role: RoleAdmin}
	noEmail, noName, noRole, badClient, nullEnabled := good, good, good, good, good
	noEmail.Email, noName.RealName, noRole.Role, badClient.ClientID, nullEnabled.Enabled = "", "", "", -1, Null[bool]()
	requireRefused(t, map[string]func(context.Context, *Client) error{
		"no address":       create(noEmail),
		"no name":          create(noName),
		"no role":          create(noRole),
		"negative client":  create(badClient),
		"null enabled":     create(nullEnabled),
		"update nobody":    update(0, UserUpdate{Enabled: Set(true)}),
		"update nothing":   update(7, UserUpdate{}),
		"update null role": update(7, UserUpdate{Role: Null[Role]()}),
		"update no role":   update(7, UserUpdate{Role: Set(Role(""))}),
		"everybody":        matching(UserFilter{}),
		"a whole tenant":   matching(UserFilter{ClientIDs: []int64{4711}}),
		"all but one":      matching(UserFilter{Not: &UserFilter{ID: 7}}),
		"free text":        matching(UserFilter{ID: 7, Query: "x"}),
		"notified":         matching(UserFilter{ID: 7, Not: &UserFilter{NotifiedDaily: []string{"email"}}}),
		"negative id":      matching(UserFilter{ID: -7}),
		"delete nobody":    func(ctx context.Context, c *Client) error { return c.Users.Delete(ctx, 0) },
		"get nobody":       func(ctx context.Context, c *Client) error { _, err := c.Users.Get(ctx, -1); return err },
		"Not within Not": func(ctx context.Context, c *Client) error {
			_, err := c.Users.List(ctx, UserFilter{Not: &UserFilter{Not: &UserFilter{ID: 1}}}, PageOptions{})
			return err
		},
		"negative tenant": func(ctx context.Context, c *Client) error {
			_, err := c.Users.List(ctx, UserFilter{ClientIDs: []int64{-1}}, PageOptions{})
			return err
		},
		"too large a page": func(ctx context.Context, c *Client) error {
			_, err := c.Users.Search(ctx, UserQuery{}, PageOptions{Limit: 1001})
			return err
		},
		"no lifetime":       invite(NewInvitation{Role: RoleAdmin}),
		"no role to invite": invite(NewInvitation{TTL: 1}),
		"negative limit":    invite(NewInvitation{TTL: 1, Role: RoleAdmin, Limit: -1}),
		"negative inviter":  invite(NewInvitation{TTL: 1, Role: RoleAdmin, ClientID: -1}),
		"empty auto group":  invite(NewInvitation{TTL: 1, Role: RoleAdmin, AutoGroup: &AutoGroup{}}),
		"no password": func(ctx context.Context, c *Client) error {
			_, err := c.Users.ResetSecret(ctx, 7, SecretOf(""))
			return err
		},
		"reset nobody": func(ctx context.Context, c *Client) error {
			_, err := c.Users.ResetSecret(ctx, 0, SecretOf("test-password"))
			return err
		},
	})
}

func TestUserUpdateByID(t *testing.T) {
	const user = `{"id":7,"clientid":4711,"enabled":false}`
	for name, test := range map[string]struct {
		answers  []string
		requests int
		err      error
	}{
		"the user":   {[]string{`{"status":200,"body":[` + user + `]}`}, 1, nil},
		"null":       {[]string{`{"status":200,"body":null}`, `{"status":200,"body":[` + user + `]}`}, 2, nil},
		"no member":  {[]string{`{"status":200}`, `{"status":200,"body":[` + user + `]}`}, 2, nil},
		"nobody":     {[]string{`{"status":200,"body":[]}`}, 1, ErrNotFound},
		"null, gone": {[]string{`{"status":200,"body":null}`, `{"status":200,"body":[]}`}, 2, ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := newTestClient(t, answersInTurn(test.answers...))
			got, err := client.Users.Disable(t.Context(), 7)
			sent := server.requests()
			require.Len(t, sent, test.requests)
			require.JSONEq(t, `{"filter":{"id":7},"fields":{"enabled":false}}`, string(sent[0].Body))
			if test.err != nil {
				require.ErrorIs(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, int64(7), got.ID)
			require.Equal(t, int64(4711), got.ClientID)
		})
	}
}

func TestUserDeleteByIDIsRepeatable(t *testing.T) {
	client, server := newTestClient(t, answersInTurn(`{"status":200,"body":[7]}`, `{"status":200,"body":[]}`))
	require.NoError(t, client.Users.Delete(t.Context(), 7))
	require.NoError(t, client.Users.Delete(t.Context(), 7))
	require.JSONEq(t, `{"filter":{"id":7}}`, string(server.requests()[1].Body))
}

func TestUserDefaults(t *testing.T) {
	client, server := newTestClient(t, answersInTurn(`{"status":200,"body":{"id":1}}`))
	_, err := client.Users.Create(t.Context(), NewUser{Email: "a@example.com", RealName: "A B", Role: RoleAdmin, ClientID: 4712})
	require.NoError(t, err)
	require.JSONEq(t, `{"username":"a@example.com","email":"a@example.com","realname":"A B","permissions":["admin"],"clientid":4712}`,
		string(server.requests()[0].Body))
}

// TestAccountSecretsStayHidden prints, logs and encodes everything of users and tokens that holds a secret.
func TestAccountSecretsStayHidden(t *testing.T) {
	const secret = "test-secret-that-nobody-sees"
	for _, v := range []any{
		NewUser{Email: "a@example.com", Password: SecretOf(secret)}, UserUpdate{Password: SecretOf(secret)}, &UserUpdate{Password: SecretOf(secret)},
		User{Secret: SecretOf(secret)}, &User{Secret: SecretOf(secret)}, Invitation{Invitation: SecretOf(secret)}, APITokenValue{Secret: SecretOf(secret)}, &NewSecret{Secret: SecretOf(secret)},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			require.NotContains(t, fmt.Sprintf(verb, v), secret, "%s of %T", verb, v)
			require.NotContains(t, fmt.Sprintf(verb, v), fmt.Sprintf("%x", secret), "%s of %T", verb, v)
		}
		encoded, err := json.Marshal(v)
		require.NoError(t, err)
		require.NotContains(t, string(encoded), secret, "%T", v)
	}
	client, _ := newTestClient(t, answersInTurn(`{"status":200,"body":{"secret":"`+secret+`"}}`))
	value, err := client.Tokens.Reveal(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, secret, value.Secret.Reveal())
	renewed, err := client.Users.ResetSecret(t.Context(), 1, SecretOf("test-password"))
	require.NoError(t, err)
	require.Equal(t, secret, renewed.Secret.Reveal())
	client, _ = newTestClient(t, answersInTurn(`{"invitation":"`+secret+`"}`))
	invitation, err := client.Users.Invite(t.Context(), NewInvitation{TTL: 60, Role: RoleAdmin})
	require.NoError(t, err)
	require.Equal(t, secret, invitation.Invitation.Reveal())
	client, _ = newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"status":400,"body":{"password":{"error":"wrong password","value":"`+secret+`"}}}`)
	})
	_, err = client.Users.ResetSecret(t.Context(), 1, SecretOf(secret))
	require.ErrorIs(t, err, ErrValidation)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
}

func TestAllUsersOnce(t *testing.T) {
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Limit, Offset int }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		var users []map[string]int
		for id := asked.Offset + 1; id <= min(asked.Offset+asked.Limit, 7); id++ {
			users = append(users, map[string]int{"id": id})
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"status": 200, "body": users}); err != nil {
			t.Error(err)
		}
	})
	var ids []int64
	for user, err := range client.Users.All(t.Context(), UserFilter{}, PageSize(3), NoPrefetch()) {
		require.NoError(t, err)
		ids = append(ids, user.ID)
	}
	require.Equal(t, []int64{1, 2, 3, 4, 5, 6, 7}, ids)
	require.JSONEq(t, `{"filter":{"clientid":[4711]},"limit":3,"offset":0,"order_by":"id","order_desc":false}`, string(server.requests()[0].Body))
}

func TestUserListsEnd(t *testing.T) {
	client, _ := newTestClient(t, answersInTurn(`{"status":200,"body":[]}`))
	pages := 0
	for page, err := range client.Users.Pages(t.Context(), UserFilter{}, PageOptions{}) {
		require.NoError(t, err)
		require.NotEmpty(t, page.Items)
		pages++
	}
	require.Zero(t, pages)
	for range client.Users.SearchAll(t.Context(), UserQuery{}) {
		t.Fatal("the list is empty")
	}
	for range client.Users.SearchPages(t.Context(), UserQuery{}, PageOptions{}) {
		t.Fatal("the list is empty")
	}
}

// farExpiry is an expiry that stays in the future.
var farExpiry = time.Date(2099, 6, 30, 0, 0, 0, 0, time.UTC)
