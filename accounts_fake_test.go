package wallarm_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// accountCloud starts a fake cloud.
func accountCloud(t *testing.T) *wallarmtest.Server {
	t.Helper()
	return wallarmtest.NewServer(t)
}

// accountClient is a client of the cloud for the bearer of a token.
func accountClient(t *testing.T, cloud *wallarmtest.Server, token string) *wallarm.Client {
	t.Helper()
	return accountClientOf(t, cloud, wallarm.Token(token))
}

func accountClientOf(t *testing.T, cloud *wallarmtest.Server, auth wallarm.Authenticator) *wallarm.Client {
	t.Helper()
	client, err := wallarm.New(wallarm.US, auth, wallarm.WithBaseURL(cloud.URL), wallarm.WithHTTPClient(cloud.Client()),
		wallarm.WithDefaults(wallarm.WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	return client
}

func dev(i int) wallarm.NewUser {
	return wallarm.NewUser{
		Email: fmt.Sprintf("dev%d@example.com", i), RealName: fmt.Sprintf("Dev Number%d", i), Password: wallarm.SecretOf("test-password-2B"), Role: wallarm.RoleAnalyst,
	}
}

func TestUserLife(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	client := accountClient(t, cloud, wallarmtest.AdminToken)
	ctx := t.Context()
	made, err := client.Users.Create(ctx, dev(1))
	require.NoError(t, err)
	require.Equal(t, wallarmtest.DefaultClientID, made.ClientID)
	require.Equal(t, []wallarm.Role{wallarm.RoleAnalyst}, made.Permissions)
	require.True(t, made.Enabled)
	_, err = client.Users.Create(ctx, dev(1))
	require.ErrorIs(t, err, wallarm.ErrConflict)

	page, err := client.Users.List(ctx, wallarm.UserFilter{Email: "dev1@example.com"}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, *made, page.Items[0])
	got, err := client.Users.Get(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, made, got)

	changed, err := client.Users.Update(ctx, made.ID, wallarm.UserUpdate{
		RealName: wallarm.Set("Dev Eloper"), Phone: wallarm.Null[string](), ResultsPerPage: wallarm.Set[int64](0), Role: wallarm.Set(wallarm.RoleReadOnly),
		SearchTemplates: wallarm.Set(map[string]string{"mine": "attacks today"}),
	})
	require.NoError(t, err)
	require.Equal(t, "Dev Eloper", changed.RealName)
	require.Zero(t, changed.ResultsPerPage)
	require.Equal(t, []wallarm.Role{wallarm.RoleReadOnly}, changed.Permissions)
	require.Equal(t, map[string]string{"mine": "attacks today"}, changed.SearchTemplates)

	changed, err = client.Users.Disable(ctx, made.ID)
	require.NoError(t, err)
	require.False(t, changed.Enabled)
	counts, err := client.Users.Count(ctx, wallarm.UserQuery{Query: "dev"})
	require.NoError(t, err)
	require.Equal(t, wallarm.UserCounts{Inactive: 1, Total: 1}, *counts)
	found, err := client.Users.Search(ctx, wallarm.UserQuery{Active: wallarm.Set(false)}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, found.Items, 1)
	changed, err = client.Users.Enable(ctx, made.ID)
	require.NoError(t, err)
	require.True(t, changed.Enabled)

	// The answer with null says nothing; the SDK looks.
	cloud.Inject(wallarmtest.Fault{Op: "users.update", Status: 200, Body: `{"status":200,"body":null}`, Count: 1})
	changed, err = client.Users.Disable(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, made.ID, changed.ID)

	require.NoError(t, client.Users.Delete(ctx, made.ID))
	require.NoError(t, client.Users.Delete(ctx, made.ID), "a repeated delete is none")
	_, err = client.Users.Get(ctx, made.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Users.Enable(ctx, made.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}

func TestUsersByFilter(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	client := accountClient(t, cloud, wallarmtest.AdminToken)
	ctx := t.Context()
	for i := range 25 {
		_, err := client.Users.Create(ctx, dev(i))
		require.NoError(t, err)
	}
	emails := map[string]bool{}
	last := int64(0)
	for user, err := range client.Users.All(ctx, wallarm.UserFilter{Query: "dev number"}, wallarm.PageSize(4)) {
		require.NoError(t, err)
		require.Greater(t, user.ID, last)
		last = user.ID
		emails[user.Email] = true
	}
	require.Len(t, emails, 25)
	n := 0
	for _, err := range client.Users.SearchAll(ctx, wallarm.UserQuery{Query: "dev", Active: wallarm.Set(true)}, wallarm.PageSize(10), wallarm.Concurrency(3)) {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 25, n)

	changed, err := client.Users.UpdateMatching(ctx, wallarm.UserFilter{Email: "dev7@example.com"}, wallarm.UserUpdate{Enabled: wallarm.Set(false)})
	require.NoError(t, err)
	require.Len(t, changed, 1)
	ids, err := client.Users.DeleteMatching(ctx, wallarm.UserFilter{Username: "dev7@example.com"})
	require.NoError(t, err)
	require.Equal(t, []int64{changed[0].ID}, ids)
	ids, err = client.Users.DeleteMatching(ctx, wallarm.UserFilter{Username: "dev7@example.com"})
	require.NoError(t, err)
	require.Empty(t, ids)
	_, err = client.Users.DeleteMatching(ctx, wallarm.UserFilter{})
	require.ErrorIs(t, err, wallarm.ErrInvalidArgument)
	counts, err := client.Users.Count(ctx, wallarm.UserQuery{})
	require.NoError(t, err)
	require.Equal(t, int64(27), counts.Total)
}

func TestUserFailures(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	admin, auditor := accountClient(t, cloud, wallarmtest.AdminToken), accountClient(t, cloud, wallarmtest.AuditorToken)
	ctx := t.Context()
	_, err := auditor.Users.Create(ctx, dev(1))
	require.ErrorIs(t, err, wallarm.ErrForbidden)
	_, err = auditor.Users.List(ctx, wallarm.UserFilter{}, wallarm.PageOptions{})
	require.NoError(t, err, "Read Only may list users")
	global := dev(1)
	global.Role = wallarm.RoleGlobalAnalyst
	_, err = admin.Users.Create(ctx, global)
	require.ErrorIs(t, err, wallarm.ErrForbidden)
	weak := dev(1)
	weak.Password = wallarm.SecretOf("test-weak")
	_, err = admin.Users.Create(ctx, weak)
	var api *wallarm.APIError
	require.ErrorAs(t, err, &api)
	require.ErrorIs(t, err, wallarm.ErrValidation)
	require.Equal(t, "password", api.Fields[0].Field)
	require.NotContains(t, fmt.Sprintf("%+v %v", api, api.Fields), "test-weak")
	_, err = admin.Users.List(ctx, wallarm.UserFilter{ClientIDs: []int64{wallarmtest.OtherClientID}}, wallarm.PageOptions{})
	require.ErrorIs(t, err, wallarm.ErrForbidden)

	// A create whose answer is lost is not repeated; the natural key tells what became of it.
	cloud.Inject(wallarmtest.Fault{Op: "users.create", Kind: wallarmtest.FaultResetAfter, Count: 1})
	_, err = admin.Users.Create(ctx, dev(2))
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	page, err := admin.Users.List(ctx, wallarm.UserFilter{Email: "dev2@example.com"}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	// A delete whose answer is lost is repeated, and succeeds though there is nothing left.
	cloud.Inject(wallarmtest.Fault{Op: "users.delete", Kind: wallarmtest.FaultResetAfter, Count: 1})
	require.NoError(t, admin.Users.Delete(ctx, page.Items[0].ID))
}

func TestInvitationsAndLegacySecrets(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	client := accountClient(t, cloud, wallarmtest.AdminToken)
	ctx := t.Context()
	invitation, err := client.Users.Invite(ctx, wallarm.NewInvitation{TTL: 3600, Role: wallarm.RoleAnalyst, Email: "new@example.com"})
	require.NoError(t, err)
	require.NotEmpty(t, invitation.Invitation.Reveal())
	require.NotContains(t, fmt.Sprintf("%+v", invitation), invitation.Invitation.Reveal())

	me, err := client.Users.Me(ctx)
	require.NoError(t, err)
	_, err = client.Users.ResetSecret(ctx, me.ID, wallarm.SecretOf("test-wrong"))
	require.ErrorIs(t, err, wallarm.ErrValidation)
	reset, err := client.Users.ResetSecret(ctx, me.ID, wallarm.SecretOf(wallarmtest.DefaultPassword))
	require.NoError(t, err)
	legacy := accountClientOf(t, cloud, wallarm.UUIDSecret(me.UUID, reset.Secret.Reveal()))
	again, err := legacy.Users.Me(ctx)
	require.NoError(t, err)
	require.Equal(t, me.ID, again.ID)
	_, err = accountClientOf(t, cloud, wallarm.UUIDSecret(me.UUID, wallarmtest.LegacySecret)).Users.Me(ctx)
	require.ErrorIs(t, err, wallarm.ErrUnauthenticated)
}

func TestTenantLife(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	client := accountClient(t, cloud, wallarmtest.PartnerToken)
	ctx := t.Context()
	own, err := client.Clients.Own(ctx)
	require.NoError(t, err)
	require.Equal(t, wallarmtest.DefaultClientID, own.ID)
	require.True(t, own.IsTechnical)
	made, err := client.Clients.Create(ctx, wallarm.NewTenant{Name: "Example Shop EU", PartnerUUID: own.PartnerUUID, Language: "ru"})
	require.NoError(t, err)
	require.Equal(t, "ru", made.Language)
	require.Equal(t, own.PartnerUUID, made.PartnerUUID)
	_, err = client.Clients.Create(ctx, wallarm.NewTenant{Name: "Example Shop EU", PartnerUUID: own.PartnerUUID})
	require.ErrorIs(t, err, wallarm.ErrAlreadyExists)

	names := map[string]int{}
	for tenant, err := range client.Clients.All(ctx, wallarm.TenantFilter{}, wallarm.PageSize(2)) {
		require.NoError(t, err)
		names[tenant.Name]++
	}
	require.Equal(t, map[string]int{"Example Shop": 1, "Example Tenant": 1, "Example Shop EU": 1}, names)
	for tenant, err := range client.Clients.AllByQuery(ctx, wallarm.TenantQuery{Name: "Example Shop EU", Enabled: wallarm.Set(true)}) {
		require.NoError(t, err)
		require.Equal(t, made.ID, tenant.ID)
	}

	// Users and tokens of a tenant belong to it.
	tenant := client.Tenant(made.ID)
	user, err := tenant.Users.Create(ctx, dev(1))
	require.NoError(t, err)
	require.Equal(t, made.ID, user.ClientID)
	page, err := client.Users.List(ctx, wallarm.UserFilter{Email: user.Email}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Empty(t, page.Items)
	subscriptions, err := tenant.Clients.ListSubscriptions(ctx)
	require.NoError(t, err)
	require.Len(t, subscriptions, 1)
	require.False(t, subscriptions[0].StartOn.IsZero())

	changed, err := client.Clients.Disable(ctx, made.ID)
	require.NoError(t, err)
	require.False(t, changed.Enabled)
	several, err := client.Clients.UpdateMatching(ctx, wallarm.TenantFilter{IDs: []int64{made.ID, wallarmtest.TenantClientID}},
		wallarm.TenantUpdate{Enabled: wallarm.Set(true), ScannerState: wallarm.Set(wallarm.ScannerState{LastScan: "0"})})
	require.NoError(t, err)
	require.Len(t, several, 2)
	require.True(t, several[1].Enabled)
	require.Equal(t, "0", several[1].ScannerState.LastScan)

	require.ErrorIs(t, client.Clients.Delete(ctx, made.ID, nil), wallarm.ErrInvalidArgument)
	require.ErrorIs(t, client.Clients.Delete(ctx, made.ID, wallarm.ConfirmName("Example Shop")), wallarm.ErrInvalidArgument)
	require.ErrorIs(t, client.Clients.Delete(ctx, made.ID, wallarm.ConfirmID(own.ID)), wallarm.ErrInvalidArgument)
	require.NotNil(t, cloud.Object("clients", made.ID), "nothing has been deleted so far")
	require.NoError(t, client.Clients.Delete(ctx, made.ID, wallarm.ConfirmName("Example Shop EU")))
	require.Nil(t, cloud.Object("clients", made.ID))
	require.NoError(t, client.Clients.Delete(ctx, made.ID, wallarm.ConfirmName("Example Shop EU")), "a repeated delete is none")
	require.NoError(t, client.Clients.Delete(ctx, made.ID, wallarm.ConfirmID(made.ID)))
	_, err = client.Clients.Get(ctx, made.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Clients.Enable(ctx, made.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	require.ErrorIs(t, client.Clients.Delete(ctx, own.ID, wallarm.ConfirmID(own.ID)), wallarm.ErrForbidden)

	admin := accountClient(t, cloud, wallarmtest.AdminToken)
	_, err = admin.Clients.Create(ctx, wallarm.NewTenant{Name: "x", PartnerUUID: own.PartnerUUID})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

func TestPartnerLinksAndGroups(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	client := accountClient(t, cloud, wallarmtest.PartnerToken)
	ctx := t.Context()
	own, err := client.Clients.Own(ctx)
	require.NoError(t, err)
	partner := own.PartnerID
	lonely := cloud.AddClient(wallarmtest.Client{Name: "lonely"})

	link, err := client.Clients.CreateLink(ctx, partner, wallarm.NewPartnerLink{
		ClientID: lonely, Params: map[string]wallarm.RawJSON{"contract": wallarm.RawJSON(`"c-1"`)},
	})
	require.NoError(t, err)
	_, err = client.Clients.CreateLink(ctx, partner, wallarm.NewPartnerLink{ClientID: lonely})
	require.ErrorIs(t, err, wallarm.ErrConflict)
	links := 0
	for l, err := range client.Clients.AllLinks(ctx, wallarm.PartnerLinkFilter{PartnerIDs: []int64{partner}}, wallarm.PageSize(1)) {
		require.NoError(t, err)
		require.Equal(t, partner, l.PartnerID)
		links++
	}
	require.Equal(t, 2, links)
	page, err := client.Clients.ListLinks(ctx, wallarm.PartnerLinkFilter{PartnerIDs: []int64{partner}, ClientIDs: []int64{lonely}}, wallarm.PageOptions{})
	require.NoError(t, err)
	require.Equal(t, []wallarm.PartnerLink{*link}, page.Items)
	page, err = client.Clients.ListLinksOfPartner(ctx, partner, wallarm.PageOptions{Offset: 1})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	updated, err := client.Clients.UpdateLink(ctx, partner, link.ID, wallarm.PartnerLinkUpdate{Params: wallarm.Null[map[string]wallarm.RawJSON]()})
	require.NoError(t, err)
	require.Nil(t, updated.Params)
	got, err := client.Clients.GetLink(ctx, partner, link.ID)
	require.NoError(t, err)
	require.Equal(t, updated, got)

	group, err := client.Clients.CreateGroup(ctx, partner, wallarm.NewTenantGroup{Name: "Retail", Roles: []wallarm.Role{wallarm.RoleGlobalReadOnly}})
	require.NoError(t, err)
	added, err := client.Clients.AddGroupClients(ctx, partner, group.ID, []int64{lonely, wallarmtest.TenantClientID})
	require.NoError(t, err)
	require.Len(t, added, 2)
	var members []int64
	for id, err := range client.Clients.AllGroupClients(ctx, partner, group.ID, wallarm.PageSize(1)) {
		require.NoError(t, err)
		members = append(members, id)
	}
	require.ElementsMatch(t, added, members)
	require.NoError(t, client.Clients.RemoveGroupClient(ctx, partner, group.ID, lonely))
	require.NoError(t, client.Clients.RemoveGroupClient(ctx, partner, group.ID, lonely), "a repeated removal is none")
	group, err = client.Clients.UpdateGroup(ctx, partner, group.ID, wallarm.TenantGroupUpdate{Name: wallarm.Set("Shops"), Roles: wallarm.Set([]wallarm.Role{})})
	require.NoError(t, err)
	require.Equal(t, int64(1), group.ClientCount)
	require.Empty(t, group.Roles)
	for g, err := range client.Clients.AllGroups(ctx, partner, "shop") {
		require.NoError(t, err)
		require.Equal(t, *group, g)
	}
	require.NoError(t, client.Clients.DeleteGroup(ctx, partner, group.ID))
	require.NoError(t, client.Clients.DeleteGroup(ctx, partner, group.ID))
	_, err = client.Clients.UpdateGroup(ctx, partner, group.ID, wallarm.TenantGroupUpdate{Name: wallarm.Set("x")})
	require.ErrorIs(t, err, wallarm.ErrNotFound)

	require.NoError(t, client.Clients.DeleteLink(ctx, partner, link.ID))
	require.NoError(t, client.Clients.DeleteLink(ctx, partner, link.ID))
	_, err = client.Clients.GetLink(ctx, partner, link.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = accountClient(t, cloud, wallarmtest.AdminToken).Clients.ListLinksOfPartner(ctx, partner, wallarm.PageOptions{})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

func TestTokenLife(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	client := accountClient(t, cloud, wallarmtest.AdminToken)
	ctx := t.Context()
	me, err := client.Users.Me(ctx)
	require.NoError(t, err)
	expires := time.Now().Add(24 * time.Hour).Truncate(time.Millisecond)
	made, err := client.Tokens.CreatePersonal(ctx, me.ID, wallarm.NewAPIToken{Name: "ci", Permissions: wallarm.RoleReadOnly, ExpiresAt: expires})
	require.NoError(t, err)
	require.Equal(t, me.ID, made.UserID)
	require.Equal(t, wallarm.RoleReadOnly, made.Permissions)
	require.True(t, expires.Equal(made.ExpiresAt.Time))
	require.False(t, made.IsExpired(time.Now()))

	// The value is good until it is renewed, the token is disabled or deleted.
	value, err := client.Tokens.Reveal(ctx, made.ID)
	require.NoError(t, err)
	first := accountClient(t, cloud, value.Secret.Reveal())
	_, err = first.Users.Me(ctx)
	require.NoError(t, err)
	_, err = first.Users.Create(ctx, dev(1))
	require.ErrorIs(t, err, wallarm.ErrForbidden, "the token may read only")
	renewed, err := client.Tokens.Renew(ctx, made.ID)
	require.NoError(t, err)
	require.False(t, renewed.GeneratedAt.IsZero())
	_, err = first.Users.Me(ctx)
	require.ErrorIs(t, err, wallarm.ErrUnauthenticated)
	second := accountClient(t, cloud, renewed.Secret.Reveal())
	_, err = second.Users.Me(ctx)
	require.NoError(t, err)

	disabled, err := client.Tokens.Disable(ctx, made.ID)
	require.NoError(t, err)
	require.False(t, disabled.Enabled)
	_, err = second.Users.Me(ctx)
	require.ErrorIs(t, err, wallarm.ErrUnauthenticated)
	_, err = client.Tokens.Update(ctx, made.ID, wallarm.APITokenUpdate{Enabled: wallarm.Set(true)})
	require.ErrorIs(t, err, wallarm.ErrValidation, "a token that is to work again needs an expiry")
	enabled, err := client.Tokens.Enable(ctx, made.ID, expires.Add(time.Hour))
	require.NoError(t, err)
	require.True(t, enabled.Enabled)
	_, err = second.Users.Me(ctx)
	require.NoError(t, err)

	_, err = client.Tokens.Rename(ctx, made.ID, "ci-2")
	require.NoError(t, err)
	_, err = client.Tokens.Update(ctx, made.ID, wallarm.APITokenUpdate{
		ExpiresAt: wallarm.Null[time.Time](), Permissions: wallarm.CustomPermissions{"auditor", "analytic"},
	})
	require.NoError(t, err)
	got, err := client.Tokens.Get(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, "ci-2", got.Name)
	require.True(t, got.ExpiresAt.IsZero())
	require.Equal(t, wallarm.CustomPermissions{"auditor", "analytic"}, got.Permissions)
	list, err := client.Tokens.List(ctx, wallarm.APITokenFilter{UserID: me.ID, Name: "ci-2", Enabled: wallarm.Set(true)})
	require.NoError(t, err)
	require.Equal(t, []wallarm.APIToken{*got}, list)

	require.NoError(t, client.Tokens.Delete(ctx, made.ID))
	require.NoError(t, client.Tokens.Delete(ctx, made.ID), "a repeated delete is none")
	_, err = second.Users.Me(ctx)
	require.ErrorIs(t, err, wallarm.ErrUnauthenticated)
	_, err = client.Tokens.Get(ctx, made.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}

func TestTokenFailures(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	client := accountClient(t, cloud, wallarmtest.AdminToken)
	ctx := t.Context()
	_, err := client.Tokens.CreateShared(ctx, wallarm.NewAPIToken{Name: "wide", Permissions: wallarm.RoleGlobalAdmin})
	require.ErrorIs(t, err, wallarm.ErrValidation)
	var api *wallarm.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, "permissions", api.Fields[0].Field)
	require.Equal(t, "not allowed", api.Fields[0].Message)

	// Nobody but the owner reads the value of a personal token.
	personal, err := client.Tokens.CreatePersonal(ctx, 70004, wallarm.NewAPIToken{Name: "anna", Permissions: wallarm.RoleAnalyst})
	require.NoError(t, err)
	_, err = client.Tokens.Reveal(ctx, personal.ID)
	require.ErrorIs(t, err, wallarm.ErrForbidden)
	shared, err := client.Tokens.CreateShared(ctx, wallarm.NewAPIToken{Name: "shared", Permissions: wallarm.RoleDeploy})
	require.NoError(t, err)
	require.Zero(t, shared.UserID)
	_, err = client.Tokens.Reveal(ctx, shared.ID)
	require.NoError(t, err)
	_, err = client.Tokens.CreateShared(ctx, wallarm.NewAPIToken{Name: "off", Permissions: wallarm.RoleReadOnly, Enabled: wallarm.Set(false)})
	require.NoError(t, err)

	// A create whose answer is lost is not repeated. The name tells what became of it.
	cloud.Inject(wallarmtest.Fault{Op: "tokens.create", Kind: wallarmtest.FaultResetAfter, Count: 1})
	_, err = client.Tokens.CreateShared(ctx, wallarm.NewAPIToken{Name: "lost", Permissions: wallarm.RoleReadOnly})
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	list, err := client.Tokens.List(ctx, wallarm.APITokenFilter{Name: "lost"})
	require.NoError(t, err)
	require.Len(t, list, 1)
	// Neither is a renewal; the new value can be read.
	before, err := client.Tokens.Reveal(ctx, shared.ID)
	require.NoError(t, err)
	cloud.Inject(wallarmtest.Fault{Op: "tokens.renew", Kind: wallarmtest.FaultStatus, Status: http.StatusBadGateway, Count: 1})
	_, err = client.Tokens.Renew(ctx, shared.ID)
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	after, err := client.Tokens.Reveal(ctx, shared.ID)
	require.NoError(t, err)
	require.Equal(t, before.Secret.Reveal(), after.Secret.Reveal())
}

func TestActivityOfOneself(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	client := accountClient(t, cloud, wallarmtest.AdminToken)
	ctx := t.Context()
	values, err := client.ActivityLog.FilterValues(ctx)
	require.NoError(t, err)
	require.Contains(t, values.Sources, wallarm.ActivityFromAPIToken)
	for i := range 5 {
		_, err := client.Users.Create(ctx, dev(i))
		require.NoError(t, err)
	}
	token, err := client.Tokens.CreateShared(ctx, wallarm.NewAPIToken{Name: "ci", Permissions: wallarm.RoleReadOnly})
	require.NoError(t, err)
	_, err = client.Tokens.Disable(ctx, token.ID)
	require.NoError(t, err)

	collect := func(filter wallarm.ActivityFilter, opts ...wallarm.CallOption) []wallarm.ActivityEvent {
		var events []wallarm.ActivityEvent
		for event, err := range client.ActivityLog.All(ctx, filter, opts...) {
			require.NoError(t, err)
			events = append(events, event)
		}
		return events
	}
	all := collect(wallarm.ActivityFilter{Time: wallarm.Last(time.Hour)}, wallarm.PageSize(2))
	require.Len(t, all, 7)
	require.Len(t, collect(wallarm.ActivityFilter{
		ObjectTypes: []wallarm.ActivityObjectType{wallarm.ActivityOfUser}, Actions: []wallarm.ActivityAction{wallarm.ActivityCreate},
	}), 5)
	require.Empty(t, collect(wallarm.ActivityFilter{Time: wallarm.Between(time.Unix(1, 0), time.Unix(2, 0))}))
	require.Empty(t, collect(wallarm.ActivityFilter{Outcomes: []wallarm.ActivityOutcome{wallarm.ActivityFailure}}))
	newest := all[0]
	require.Equal(t, "Update", newest.Action)
	require.Equal(t, wallarm.ActivityOfAPIToken, newest.ObjectTypeInfo.Value)
	require.Equal(t, []string{"enabled"}, newest.ChangedFields)
	require.Equal(t, fmt.Sprint(token.ID), newest.ObjectID)
	require.Equal(t, "Ada Admin", newest.Initiator.Name)
	var diff map[string]struct {
		Old bool `json:"old"`
		New bool `json:"new"`
	}
	require.NoError(t, newest.Diff.Decode(&diff))
	require.True(t, diff["enabled"].Old)
	require.False(t, diff["enabled"].New)
	require.Greater(t, newest.ID, uint64(1)<<53)
	got, err := client.ActivityLog.Get(ctx, newest.ID)
	require.NoError(t, err)
	require.Equal(t, newest, *got)
	_, err = client.ActivityLog.Get(ctx, 7)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.ActivityLog.List(ctx, wallarm.ActivityFilter{}, wallarm.PageOptions{}, wallarm.WithClientID(wallarmtest.OtherClientID))
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}

// TestAccountReadsSurviveFailures checks that reads and absolute writes of all four services outlive an answer that is lost.
func TestAccountReadsSurviveFailures(t *testing.T) {
	t.Parallel()
	cloud := accountCloud(t)
	client := accountClient(t, cloud, wallarmtest.PartnerToken)
	ctx := t.Context()
	for op, call := range map[string]func(context.Context) error{
		"users.list": func(ctx context.Context) error {
			_, err := client.Users.List(ctx, wallarm.UserFilter{}, wallarm.PageOptions{})
			return err
		},
		"users.update": func(ctx context.Context) error { _, err := client.Users.Disable(ctx, 70003); return err },
		"clients.list": func(ctx context.Context) error {
			_, err := client.Clients.Get(ctx, wallarmtest.TenantClientID)
			return err
		},
		"clients.update": func(ctx context.Context) error {
			_, err := client.Clients.Disable(ctx, wallarmtest.TenantClientID)
			return err
		},
		"tokens.list": func(ctx context.Context) error {
			_, err := client.Tokens.List(ctx, wallarm.APITokenFilter{})
			return err
		},
		"activity.list": func(ctx context.Context) error {
			_, err := client.ActivityLog.List(ctx, wallarm.ActivityFilter{}, wallarm.PageOptions{})
			return err
		},
	} {
		for _, kind := range []wallarmtest.FaultKind{wallarmtest.FaultHTML, wallarmtest.FaultResetAfter, wallarmtest.FaultTruncate} {
			cloud.Inject(wallarmtest.Fault{Op: op, Kind: kind, Count: 1})
			require.NoError(t, call(ctx), op)
		}
	}
}

// TestARepeatThatMatchesNothing: what an attempt has changed may not match the filter of its repeat any more, and nothing would look as if nothing had been
// there to change.
func TestARepeatThatMatchesNothing(t *testing.T) {
	ctx := t.Context()
	cloud := wallarmtest.NewServer(t, wallarmtest.WithSampleData())
	client, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.AdminToken), wallarm.WithBaseURL(cloud.URL))
	require.NoError(t, err)
	partner, err := wallarm.New(wallarm.US, wallarm.Token(wallarmtest.PartnerToken), wallarm.WithBaseURL(cloud.URL))
	require.NoError(t, err)
	tenant := func(from, to string) (int, error) {
		tenants, err := partner.Clients.UpdateMatching(ctx, wallarm.TenantFilter{Name: from}, wallarm.TenantUpdate{Name: wallarm.Set(to)})
		return len(tenants), err
	}
	node := func(from, to string) (int, error) {
		nodes, err := client.Nodes.UpdateV1(ctx, wallarm.NodeV1Filter{Hostname: from}, wallarm.NodeV1Update{Hostname: wallarm.Set(to)})
		return len(nodes), err
	}
	for op, test := range map[string]struct {
		rename func(from, to string) (int, error)
		name   string
	}{"clients.update": {tenant, "Example Tenant"}, "nodes.updateV1": {node, "edge-1"}} {
		cloud.Inject(wallarmtest.Fault{Op: op, Kind: wallarmtest.FaultResetAfter, Count: 1})
		n, err := test.rename(test.name, "a"+test.name)
		require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown, op)
		require.Zero(t, n, op)

		n, err = test.rename("a"+test.name, "b"+test.name)
		require.NoError(t, err, op)
		require.Equal(t, 1, n, op)
		cloud.Inject(wallarmtest.Fault{Op: op, Kind: wallarmtest.FaultResetBefore, Count: 1})
		n, err = test.rename("b"+test.name, "c"+test.name)
		require.NoError(t, err, op)
		require.Equal(t, 1, n, op)
		n, err = test.rename("b"+test.name, "c"+test.name)
		require.NoError(t, err, "%s: there is nothing of that name", op)
		require.Zero(t, n, op)
	}
}
