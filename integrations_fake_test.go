package wallarm_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

// workshop starts a fake cloud and makes a client of it.
func workshop(t *testing.T, token string, options ...wallarmtest.Option) (*wallarm.Client, *wallarmtest.Server) {
	t.Helper()
	cloud := wallarmtest.NewServer(t, options...)
	client, err := wallarm.New(wallarm.US, wallarm.Token(token), wallarm.WithBaseURL(cloud.URL),
		wallarm.WithDefaults(wallarm.WithWaits(time.Nanosecond, time.Nanosecond, time.Nanosecond)))
	require.NoError(t, err)
	return client, cloud
}

func TestIntegrationFromCreateToDelete(t *testing.T) {
	client, cloud := workshop(t, wallarmtest.AdminToken)
	ctx := t.Context()
	created, err := client.Integrations.Create(ctx, wallarm.NewIntegration{
		Name:   "SOC webhook",
		Target: wallarm.WebhookTarget{URL: wallarm.SecretOf("https://hooks.example.com/in"), Headers: map[string]wallarm.Secret{"X-Key": wallarm.SecretOf("test-token-hook")}},
		Events: wallarm.EventsFor(wallarm.IntegrationWebhook, wallarm.EventSIEM, wallarm.EventSystem),
	})
	require.NoError(t, err)
	require.True(t, created.Active)
	require.Equal(t, "admin@example.com", created.CreatedBy)
	require.Len(t, created.Events, 9)
	require.Nil(t, created.Target, "the answer to a create shows no target")

	listed, err := client.Integrations.Get(ctx, created.ID)
	require.NoError(t, err)
	require.Equal(t, wallarm.SecretOf("********"), listed.Target.(wallarm.WebhookTarget).URL, "lists show masked targets")

	// Whatever changes, the secrets that nobody can read stay what they are.
	listed, err = client.Integrations.Disable(ctx, created.ID)
	require.NoError(t, err)
	require.False(t, listed.Active)
	_, err = client.Integrations.Update(ctx, created.ID, wallarm.IntegrationUpdate{Name: wallarm.Set("renamed"), Events: wallarm.Set(listed.Events[:2])})
	require.NoError(t, err)
	require.Contains(t, string(cloud.Object("integrations", created.ID)), "test-token-hook")
	listed, err = client.Integrations.Get(ctx, created.ID)
	require.NoError(t, err)
	require.Equal(t, "renamed", listed.Name)
	require.Len(t, listed.Events, 2)
	before := len(cloud.Requests())
	_, err = client.Integrations.Update(ctx, created.ID, wallarm.IntegrationUpdate{Target: listed.Target})
	require.ErrorIs(t, err, wallarm.ErrInvalidArgument)
	require.Len(t, cloud.Requests(), before, "a masked secret is not sent")

	_, err = client.Integrations.Update(ctx, created.ID, wallarm.IntegrationUpdate{Target: wallarm.WebhookTarget{URL: wallarm.SecretOf("https://hooks.example.com/new")}})
	require.NoError(t, err)
	require.Contains(t, string(cloud.Object("integrations", created.ID)), "https://hooks.example.com/new")

	listed, err = client.Integrations.Enable(ctx, created.ID)
	require.NoError(t, err)
	require.True(t, listed.Active)
	require.NoError(t, client.Integrations.Delete(ctx, created.ID))
	require.NoError(t, client.Integrations.Delete(ctx, created.ID), "deleting again is no failure")
	_, err = client.Integrations.Get(ctx, created.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Integrations.Enable(ctx, created.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}

func TestIntegrationsOfEveryType(t *testing.T) {
	client, cloud := workshop(t, wallarmtest.AdminToken)
	ctx := t.Context()
	for _, target := range []wallarm.IntegrationTarget{
		wallarm.EmailTarget{Addresses: []string{"soc@example.com"}},
		wallarm.SlackTarget{WebhookURL: wallarm.SecretOf("https://hooks.example.com/slack")},
		wallarm.MSTeamsTarget{WebhookURL: wallarm.SecretOf("https://hooks.example.com/teams")},
		wallarm.PagerDutyTarget{IntegrationKey: wallarm.SecretOf("test-token-pager")},
		wallarm.SumoLogicTarget{CollectorURL: wallarm.SecretOf("https://sumo.example.com/x")},
		wallarm.OpsgenieTarget{Token: wallarm.SecretOf("test-token-o"), API: wallarm.SecretOf(wallarm.OpsgenieAPI)},
		wallarm.InsightConnectTarget{Token: wallarm.SecretOf("test-token-i"), API: wallarm.SecretOf("https://flow.example.com/x")},
		wallarm.SplunkTarget{Token: wallarm.SecretOf("test-token-s"), API: wallarm.SecretOf("https://splunk.example.com/x")},
		wallarm.DatadogTarget{Token: wallarm.SecretOf("test-token-d"), Region: "EU1"},
		wallarm.WebhookTarget{URL: wallarm.SecretOf("https://hooks.example.com/x")},
	} {
		kind := target.IntegrationType()
		tested, err := client.Integrations.Test(ctx, target)
		require.NoError(t, err, kind)
		require.Equal(t, "success", tested.Result)
		created, err := client.Integrations.Create(ctx, wallarm.NewIntegration{Name: string(kind), Target: target, Events: wallarm.EventsFor(kind)})
		require.NoError(t, err, kind)
		require.Equal(t, kind, created.Type)
		got, err := client.Integrations.Get(ctx, created.ID)
		require.NoError(t, err)
		require.IsType(t, target, got.Target)
	}
	chat, err := client.Integrations.CreateTelegram(ctx, wallarm.NewTelegramIntegration{Name: "chat", ChatData: wallarm.SecretOf("test-token-chat")})
	require.NoError(t, err)
	chat, err = client.Integrations.Update(ctx, chat.ID, wallarm.IntegrationUpdate{
		Active: wallarm.Set(true), Type: wallarm.IntegrationTelegram,
		Events: wallarm.Set(wallarm.EventsFor(wallarm.IntegrationTelegram, wallarm.EventReportWeekly)),
	})
	require.NoError(t, err)
	require.Len(t, chat.Events, 10)
	require.Nil(t, chat.Target)

	// A type from next year survives a list and a change of what is known of it.
	_, err = cloud.Put("integrations", `{"id":99,"type":"next_year","name":"new","active":true,"created_at":1,"created_by":null,"events":[],
		"target":{"token":"test-token-new"},"shape":"round"}`)
	require.NoError(t, err)
	next, err := client.Integrations.Get(ctx, 99)
	require.NoError(t, err)
	require.IsType(t, wallarm.UnknownTarget{}, next.Target)
	require.JSONEq(t, `"round"`, string(next.Extra["shape"]))
	_, err = client.Integrations.Disable(ctx, 99)
	require.NoError(t, err)
	require.Contains(t, string(cloud.Object("integrations", 99)), "test-token-new")

	all, err := client.Integrations.List(ctx, wallarm.IntegrationFilter{})
	require.NoError(t, err)
	require.Len(t, all, 12)
	some, err := client.Integrations.List(ctx, wallarm.IntegrationFilter{Type: wallarm.IntegrationSlack, Active: wallarm.Set(true)})
	require.NoError(t, err)
	require.Len(t, some, 1)
	some, err = client.Integrations.List(ctx, wallarm.IntegrationFilter{IDs: []int64{99, chat.ID}, Limit: 1, Offset: 1})
	require.NoError(t, err)
	require.Equal(t, chat.ID, some[0].ID)
	dump, err := json.Marshal(all)
	require.NoError(t, err)
	require.NotContains(t, string(dump), "test-token")
}

func TestIntegrationFailures(t *testing.T) {
	client, cloud := workshop(t, wallarmtest.AdminToken)
	ctx := t.Context()
	slack := func(host string) wallarm.SlackTarget {
		return wallarm.SlackTarget{WebhookURL: wallarm.SecretOf("https://" + host + "/x")}
	}
	_, err := client.Integrations.Test(ctx, slack("hooks.invalid"))
	require.ErrorIs(t, err, wallarm.ErrValidation)
	require.ErrorContains(t, err, "host not resolved")
	_, err = client.Integrations.Test(ctx, slack("timeout.example.com"))
	require.ErrorIs(t, err, wallarm.ErrTargetTimeout)

	_, err = client.Integrations.Create(ctx, wallarm.NewIntegration{Name: " ", Target: slack("hooks.example.com")})
	var api *wallarm.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, "name", api.Fields[0].Field)

	// A lost answer must not make a second integration.
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "integrations.create", Count: 1})
	_, err = client.Integrations.Create(ctx, wallarm.NewIntegration{Name: "once", Target: slack("hooks.example.com")})
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown)
	all, err := client.Integrations.List(ctx, wallarm.IntegrationFilter{})
	require.NoError(t, err)
	require.Len(t, all, 1)
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "integrations.update", Count: 1})
	_, err = client.Integrations.Disable(ctx, all[0].ID)
	require.NoError(t, err, "an update is repeated")
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "integrations.delete", Count: 1})
	require.NoError(t, client.Integrations.Delete(ctx, all[0].ID), "the repeat meets 404, which is success")

	auditor, _ := workshop(t, wallarmtest.AuditorToken)
	_, err = auditor.Integrations.List(ctx, wallarm.IntegrationFilter{})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
	_, err = client.Tenant(wallarmtest.OtherClientID).Integrations.List(ctx, wallarm.IntegrationFilter{})
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}
