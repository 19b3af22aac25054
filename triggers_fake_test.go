package wallarm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
)

func TestTriggerFromCreateToDelete(t *testing.T) {
	client, cloud := workshop(t, wallarmtest.AdminToken)
	ctx := t.Context()
	standard, err := client.Triggers.List(ctx)
	require.NoError(t, err)
	require.Len(t, standard, 1, "an account begins with a default trigger")
	require.Equal(t, wallarm.TriggerActions{wallarm.TriggerGraylist{LockTime: 3600}}, standard[0].Actions)

	created, err := client.Triggers.Create(ctx, wallarm.TriggerSpec{
		Template: wallarm.TriggerPayloads, Name: "block scanners", Comment: "for a day",
		Filters: []wallarm.TriggerFilter{
			wallarm.TriggerApplications{Values: []int64{-1, 42}},
			wallarm.TriggerIPs{Operator: wallarm.TriggerNotEqual, Values: []string{"192.0.2.7"}},
			wallarm.TriggerResponses{Values: []wallarm.ResponseStatus{wallarm.StatusCode(503), wallarm.StatusClass(4)}},
		},
		Threshold: &wallarm.TriggerThreshold{Count: 5, Period: 60},
		Actions:   []wallarm.TriggerAction{wallarm.TriggerDenylist{LockTime: wallarm.LockForever}, wallarm.TriggerNotify{IntegrationIDs: []int64{3301}}},
	})
	require.NoError(t, err)
	require.True(t, created.Enabled)
	require.Equal(t, wallarm.TriggerPayloads, created.TemplateInfo.ID)
	all, err := client.Triggers.List(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1, "the default one has gone")

	stored := string(cloud.Object("triggers", created.ID))
	again, err := client.Triggers.Disable(ctx, created.ID)
	require.NoError(t, err)
	require.False(t, again.Enabled)
	require.Equal(t, created.Filters, again.Filters)
	require.Equal(t, created.Actions, again.Actions)
	require.Equal(t, created.Threshold, again.Threshold)
	again, err = client.Triggers.Enable(ctx, created.ID)
	require.NoError(t, err)
	require.True(t, again.Enabled)
	require.JSONEq(t, stored, withTime(t, string(cloud.Object("triggers", created.ID)), created.UpdatedAt), "off and on changes nothing else")

	spec := again.Spec()
	spec.Name, spec.Filters = "block all scanners", nil
	replaced, err := client.Triggers.Replace(ctx, created.ID, spec)
	require.NoError(t, err)
	require.Equal(t, "block all scanners", replaced.Name)
	require.Equal(t, "for a day", replaced.Comment)
	require.Empty(t, replaced.Spec().Filters)

	require.NoError(t, client.Triggers.Delete(ctx, created.ID))
	require.NoError(t, client.Triggers.Delete(ctx, created.ID), "deleting again is no failure")
	_, err = client.Triggers.Get(ctx, created.ID)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	all, err = client.Triggers.List(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1, "a delete may add an object: the default trigger is back")
}

// withTime sets the time of the last change, which every write moves.
func withTime(t *testing.T, trigger string, at wallarm.Timestamp) string {
	t.Helper()
	var v wallarm.Trigger
	require.NoError(t, v.UnmarshalJSON([]byte(trigger)))
	v.UpdatedAt = at
	text, err := v.MarshalJSON()
	require.NoError(t, err)
	return string(text)
}

func TestTriggersOfEveryTemplate(t *testing.T) {
	client, _ := workshop(t, wallarmtest.AdminToken)
	for _, template := range []wallarm.TriggerTemplate{
		wallarm.TriggerUserCreated, wallarm.TriggerAttacks, wallarm.TriggerHits, wallarm.TriggerIncidents, wallarm.TriggerPayloads,
		wallarm.TriggerBruteForce, wallarm.TriggerForcedBrowsing, wallarm.TriggerBOLA, wallarm.TriggerIPDenylisted, wallarm.TriggerAPIChanged,
		wallarm.TriggerRogueAPI, wallarm.TriggerCompromisedLogins, wallarm.TriggerIPGrouping,
	} {
		spec := wallarm.TriggerSpec{Template: template, Name: string(template), Actions: []wallarm.TriggerAction{wallarm.TriggerNotify{IntegrationIDs: []int64{1}}}}
		switch template {
		case wallarm.TriggerAttacks, wallarm.TriggerHits, wallarm.TriggerIncidents, wallarm.TriggerPayloads, wallarm.TriggerBruteForce:
			spec.Threshold = &wallarm.TriggerThreshold{Count: 1, Period: 1}
		}
		created, err := client.Triggers.Create(t.Context(), spec)
		require.NoError(t, err, template)
		require.Equal(t, spec.Threshold == nil, created.Threshold == nil)
		_, err = client.Triggers.Replace(t.Context(), created.ID, created.Spec())
		require.NoError(t, err, template)
	}
}

func TestTriggerFailures(t *testing.T) {
	client, cloud := workshop(t, wallarmtest.AdminToken)
	ctx := t.Context()
	spec := wallarm.TriggerSpec{Template: "next_year", Name: "x", Actions: []wallarm.TriggerAction{wallarm.TriggerMarkAsBrute{}}}
	_, err := client.Triggers.Create(ctx, spec)
	require.ErrorIs(t, err, wallarm.ErrValidation)
	var api *wallarm.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, "template_id", api.Fields[0].Field)

	spec.Template = wallarm.TriggerForcedBrowsing
	cloud.Inject(wallarmtest.Fault{Kind: wallarmtest.FaultResetAfter, Op: "triggers.create", Count: 1})
	_, err = client.Triggers.Create(ctx, spec)
	require.ErrorIs(t, err, wallarm.ErrOutcomeUnknown, "a lost answer must not make a second trigger")
	all, err := client.Triggers.List(ctx)
	require.NoError(t, err)
	require.Len(t, all, 2)
	_, err = client.Triggers.Enable(ctx, 1)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = client.Triggers.Replace(ctx, 1, spec)
	require.ErrorIs(t, err, wallarm.ErrNotFound)

	// What this package does not know is written back as it came.
	_, err = cloud.Put("triggers", `{"id":77,"client_id":4711,"template_id":"user_created","name":"new","comment":null,"enabled":true,"mood":"calm",
		"filters":[{"id":"role","operator":"in","values":[{"x":1}],"deep":true}],"actions":[{"id":"dance","params":{"steps":3}}],"threshold":null}`)
	require.NoError(t, err)
	trigger, err := client.Triggers.Get(ctx, 77)
	require.NoError(t, err)
	_, err = client.Triggers.Replace(ctx, 77, trigger.Spec())
	require.ErrorIs(t, err, wallarm.ErrValidation, "the fake does not know it either")
	sent := cloud.RequestsOf("triggers.replace")
	require.JSONEq(t, `{"trigger":{"template_id":"user_created","name":"new","comment":"","enabled":true,"threshold":null,"mood":"calm",
		"filters":[{"id":"role","operator":"in","values":[{"x":1}],"deep":true}],"actions":[{"id":"dance","params":{"steps":3}}]}}`,
		string(sent[len(sent)-1].Body))

	_, err = client.Tenant(wallarmtest.OtherClientID).Triggers.List(ctx)
	require.ErrorIs(t, err, wallarm.ErrForbidden)
}
