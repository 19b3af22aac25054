package compat

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
	wallarm "github.com/wallarm/wallarm-go"
)

func TestNodes(t *testing.T) {
	w := newWorld(t)
	body := &wallarm.NodeCreate{Hostname: "edge-eu-2", Type: "cloud_node", Clientid: client}
	created, err := w.api.NodeCreate(body)
	require.NoError(t, err)
	require.NotEmpty(t, created.Body.Token)
	require.NotEmpty(t, created.Body.Secret)
	require.NotEmpty(t, created.Body.UUID)
	_, err = w.api.NodeCreate(body)
	require.ErrorIs(t, err, wallarm.ErrExistingResource, "400 Already exists")

	for kind, want := range map[string]int{"all": 1, "cloud_node": 1, "fast_node": 0} {
		list, err := w.api.NodeRead(client, kind)
		require.NoError(t, err)
		require.Len(t, list.Body, want, kind)
		if want > 0 {
			require.Equal(t, created.Body.ID, list.Body[0].ID)
			require.Equal(t, created.Body.Token, list.Body[0].Token)
			require.Empty(t, list.Body[0].Secret, "shown once")
		}
	}
	old, err := w.api.NodeReadByFilter(&wallarm.NodeReadByFilter{
		Filter: &wallarm.NodeFilter{Hostname: "edge-eu-2"}, Limit: 10, OrderBy: "hostname",
	})
	require.NoError(t, err)
	require.Len(t, old.Body, 1)
	require.Equal(t, created.Body.UUID, old.Body[0].ID, "the first generation names nodes by uuid")

	require.NoError(t, w.api.NodeDelete(created.Body.ID))
	status(t, http.StatusNotFound, w.api.NodeDelete(created.Body.ID))
}

func TestApplications(t *testing.T) {
	w := newWorld(t)
	names := func() map[int]string {
		list, err := w.api.AppRead(&wallarm.AppRead{Limit: 500, Filter: &wallarm.AppReadFilter{Clientid: []int{client}}})
		require.NoError(t, err)
		found := map[int]string{}
		for _, app := range list.Body {
			if !app.Deleted {
				found[*app.ID] = app.Name
			}
		}
		return found
	}
	require.Contains(t, names(), -1, "the default application")
	body := &wallarm.AppCreate{ID: ptr(42), Clientid: client, Name: "Checkout"}
	require.NoError(t, w.api.AppCreate(body))
	require.ErrorIs(t, w.api.AppCreate(body), wallarm.ErrExistingResource)
	require.NoError(t, w.api.AppCreate(&wallarm.AppCreate{Clientid: client, Name: "Numbered"}))
	require.Len(t, names(), 3)
	require.NoError(t, w.api.AppUpdate(&wallarm.AppUpdate{
		Filter: &wallarm.AppUpdateFilter{AppReadFilter: &wallarm.AppReadFilter{Clientid: []int{client}}, ID: 42},
		Fields: &wallarm.AppUpdateFields{Name: "Checkout v2"},
	}))
	require.Equal(t, "Checkout v2", names()[42])
	require.NoError(t, w.api.AppDelete(&wallarm.AppDelete{Filter: &wallarm.AppFilter{ID: 42, Clientid: client}}))
	require.NotContains(t, names(), 42)
	_ = w.api.AppDelete(&wallarm.AppDelete{Filter: &wallarm.AppFilter{ID: -1, Clientid: client}})
	require.Contains(t, names(), -1, "the default application stays")
}

// ipList are the three kinds of list, which the client has three times over.
type ipList struct {
	name   string
	read   func(int) ([]wallarm.IPRule, error)
	create func(int, wallarm.AccessRuleCreateRequest) error
	remove func(int, []wallarm.AccessRuleDeleteEntry) error
}

func TestIPLists(t *testing.T) {
	w := newWorld(t)
	forever := int(w.Now().Unix()) + 3_000_000_000
	for _, list := range []ipList{
		{
			"block",
			func(id int) ([]wallarm.IPRule, error) { return w.api.DenylistRead(id) },
			func(id int, r wallarm.AccessRuleCreateRequest) error { return w.api.DenylistCreate(id, r) },
			func(id int, r []wallarm.AccessRuleDeleteEntry) error { return w.api.DenylistDelete(id, r) },
		},
		{
			"allow",
			func(id int) ([]wallarm.IPRule, error) { return w.api.AllowlistRead(id) },
			func(id int, r wallarm.AccessRuleCreateRequest) error { return w.api.AllowlistCreate(id, r) },
			func(id int, r []wallarm.AccessRuleDeleteEntry) error { return w.api.AllowlistDelete(id, r) },
		},
		{
			"gray",
			func(id int) ([]wallarm.IPRule, error) { return w.api.GraylistRead(id) },
			func(id int, r wallarm.AccessRuleCreateRequest) error { return w.api.GraylistCreate(id, r) },
			func(id int, r []wallarm.AccessRuleDeleteEntry) error { return w.api.GraylistDelete(id, r) },
		},
	} {
		t.Run(list.name, func(t *testing.T) {
			body := wallarm.AccessRuleCreateRequest{
				Reason: "test", ApplicationIDs: []int{0}, ExpiredAt: forever,
				Rules: []wallarm.AccessRuleEntry{
					{RulesType: "subnet", Values: []string{"203.0.113.7", "198.51.100.0/24"}},
					{RulesType: "location", Values: []string{"AQ", "BV"}},
				},
			}
			require.NoError(t, list.create(client, body))
			groups, err := list.read(client)
			require.NoError(t, err)
			require.Len(t, groups, 3, "a group for each subnet, one for both countries")
			var remove []wallarm.AccessRuleDeleteEntry
			values := map[string]bool{}
			for _, g := range groups {
				require.Equal(t, list.name, g.List)
				require.Equal(t, forever, g.ExpiredAt)
				require.Equal(t, []int{0}, g.ApplicationIDs)
				for _, v := range g.Values {
					values[v] = true
				}
				remove = append(remove, wallarm.AccessRuleDeleteEntry{RuleType: g.RuleType, IDs: []int{g.ID}})
			}
			require.Equal(t, map[string]bool{"203.0.113.7/32": true, "198.51.100.0/24": true, "AQ": true, "BV": true}, values)
			status(t, http.StatusConflict, list.create(client, body))
			body.Force = true
			require.NoError(t, list.create(client, body))
			groups, err = list.read(client)
			require.NoError(t, err)
			require.Len(t, groups, 3)
			remove = remove[:0]
			for _, g := range groups {
				remove = append(remove, wallarm.AccessRuleDeleteEntry{RuleType: g.RuleType, IDs: []int{g.ID}})
			}
			require.NoError(t, list.remove(client, remove))
			groups, err = list.read(client)
			require.NoError(t, err)
			require.Empty(t, groups)
		})
	}
}

func TestIPListsByKindAndSearch(t *testing.T) {
	w := newWorld(t)
	var values []string
	for i := range 25 {
		values = append(values, address(i))
	}
	require.NoError(t, w.api.IPListCreate(client, wallarm.AccessRuleCreateRequest{
		List: wallarm.DenylistType, Reason: "many", ApplicationIDs: []int{0}, ExpiredAt: int(w.Now().Unix()) + 3600,
		Rules: []wallarm.AccessRuleEntry{{RulesType: "subnet", Values: values}, {RulesType: "proxy_type", Values: []string{"TOR"}}},
	}))
	all, err := w.api.IPListRead(wallarm.DenylistType, client, 10)
	require.NoError(t, err)
	require.Len(t, all, 26, "three pages")
	subnets, err := w.api.IPListReadByRuleType(wallarm.DenylistType, client, []string{"subnet"}, 10)
	require.NoError(t, err)
	require.Len(t, subnets, 25)
	found, err := w.api.IPListSearch(wallarm.DenylistType, client, "subnet", address(7))
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, []string{address(7) + "/32"}, found[0].Values)
	require.NoError(t, w.api.IPListDelete(client, []wallarm.AccessRuleDeleteEntry{{RuleType: "subnet", IDs: []int{found[0].ID}}}))
	found, err = w.api.IPListSearch(wallarm.DenylistType, client, "subnet", address(7))
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestIntegrations(t *testing.T) {
	w := newWorld(t)
	events := &[]wallarm.IntegrationEvents{{Event: "siem", Active: true, WithHeaders: ptr(false)}, {Event: "system", Active: true}}
	messenger := &[]wallarm.IntegrationEvents{{Event: "system", Active: true}}

	slack := &wallarm.IntegrationCreate{
		Name: "Chat", Active: true, Type: "slack", Target: "https://hooks.example.com/chat", Events: messenger, Clientid: client,
	}
	created, err := w.api.IntegrationCreate(slack)
	require.NoError(t, err)
	require.Equal(t, "success", created.Body.Result)
	require.Equal(t, "slack", created.Body.Type)
	id := created.Body.ID
	read, err := w.api.IntegrationRead(client, id)
	require.NoError(t, err)
	require.Equal(t, "Chat", read.Name)
	require.True(t, read.Active)
	require.Len(t, read.Events, 1)

	changed := *slack
	changed.Name, changed.Clientid = "Chat renamed", 0
	updated, err := w.api.IntegrationUpdate(&changed, id)
	require.NoError(t, err)
	require.Equal(t, "Chat renamed", updated.Body.Name)
	updated, err = w.api.IntegrationPartialUpdate(id, map[string]any{"active": false})
	require.NoError(t, err)
	require.False(t, updated.Body.Active)
	require.Equal(t, "Chat renamed", updated.Body.Name)

	hook := &wallarm.IntegrationWithAPICreate{
		Name: "SOC webhook", Active: true, Type: "web_hooks", Events: events, Clientid: client,
		Target: &wallarm.IntegrationWithAPITarget{
			URL: "https://hooks.example.com/wallarm", HTTPMethod: "POST", Format: "json", Headers: map[string]any{"X-Hook": "1"}, CaVerify: true,
			Timeout: 15, OpenTimeout: 20, Subtype: "web_hooks",
		},
	}
	made, err := w.api.IntegrationWithAPICreate(hook)
	require.NoError(t, err)
	hook.Clientid, hook.Name = 0, "SOC webhook 2"
	made, err = w.api.IntegrationWithAPIUpdate(hook, made.Body.ID)
	require.NoError(t, err)
	require.Equal(t, "SOC webhook 2", made.Body.Name)
	require.Len(t, made.Body.Events, 2)

	mail := &wallarm.EmailIntegrationCreate{
		Name: "Mail", Active: true, Type: "email", Target: []string{"soc@example.com"}, Events: messenger, Clientid: client,
	}
	made, err = w.api.EmailIntegrationCreate(mail)
	require.NoError(t, err)
	mail.Clientid, mail.Target = 0, []string{"soc@example.com", "ops@example.com"}
	_, err = w.api.EmailIntegrationUpdate(mail, made.Body.ID)
	require.NoError(t, err)

	chat := &wallarm.TelegramIntegrationCreate{Name: "Bot", Clientid: client, ChatData: "test-chat-data"}
	made, err = w.api.TelegramIntegrationCreate(chat)
	require.NoError(t, err)
	require.Equal(t, "telegram", made.Body.Type)
	made, err = w.api.TelegramIntegrationUpdate(&wallarm.TelegramIntegrationCreate{Name: "Bot renamed"}, made.Body.ID)
	require.NoError(t, err)
	require.Equal(t, "Bot renamed", made.Body.Name)

	require.NoError(t, w.api.IntegrationDelete(id))
	_, err = w.api.IntegrationRead(client, id)
	status(t, http.StatusNotFound, err)
	status(t, http.StatusNotFound, w.api.IntegrationDelete(id))
	require.Len(t, stored[anyObject](t, w, "integrations"), 3)
}

func TestTriggers(t *testing.T) {
	w := newWorld(t)
	block := wallarm.TriggerActions{ID: "block_ips"}
	block.Params.LockTime = 3600
	body := &wallarm.TriggerCreate{Trigger: &wallarm.TriggerParam{
		TemplateID: "attacks_exceeded", Name: "Many SQLi", Comment: "page the on-call", Enabled: true,
		Filters: &[]wallarm.TriggerFilters{
			{ID: "attack_type", Operator: "eq", Values: []any{"sqli"}}, {ID: "pool", Operator: "eq", Values: []any{-1}},
		},
		Actions:   &[]wallarm.TriggerActions{block},
		Threshold: &wallarm.TriggerThreshold{Period: 3600, Operator: "gt", AllowedOperators: []string{"gt"}, Count: 500},
	}}
	created, err := w.api.TriggerCreate(body, client)
	require.NoError(t, err)
	require.Equal(t, client, created.ClientID)
	require.Equal(t, "attacks_exceeded", created.Template.ID)
	require.Equal(t, 500, created.Threshold.Count)
	find := func() *wallarm.TriggerResp {
		list, err := w.api.TriggerRead(client)
		require.NoError(t, err)
		for _, trigger := range list.Triggers {
			if trigger.ID == created.ID {
				return &trigger
			}
		}
		return nil
	}
	require.Equal(t, "Many SQLi", find().Name)
	body.Trigger.Name, body.Trigger.Enabled = "Very many SQLi", false
	_, err = w.api.TriggerUpdate(body, client, created.ID)
	require.NoError(t, err)
	require.Equal(t, "Very many SQLi", find().Name)
	require.False(t, find().Enabled)
	require.NoError(t, w.api.TriggerDelete(client, created.ID))
	require.Nil(t, find())
}

func TestAPISpecs(t *testing.T) {
	w := newWorld(t)
	created, err := w.api.APISpecCreate(&wallarm.APISpecCreate{
		Title: "Shop API", Description: "public part", FileRemoteURL: "https://specs.example.com/shop.yaml", RegularFileUpdate: true,
		APIDetection: true, ClientID: client, Instances: []any{42}, Domains: []any{"shop.example.com"},
		AuthHeaders: []wallarm.APISpecAuthHeader{{Key: "X-Spec-Key", Value: "test-value"}},
	})
	require.NoError(t, err)
	id := created.Body.ID
	require.Empty(t, created.Body.FileRemoteURL, "absent in the answer of a create")
	w.Advance(time.Minute) // the file is read a little later
	one, err := w.api.APISpecReadByID(client, id)
	require.NoError(t, err)
	require.Equal(t, "https://specs.example.com/shop.yaml", one.FileRemoteURL)
	require.NotNil(t, one.File)
	require.Equal(t, []any{42.0}, one.Instances)
	list, err := w.api.APISpecList(client, 1, 50)
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Equal(t, 1, list.TotalPages)
	changed, err := w.api.APISpecUpdate(client, id, &wallarm.APISpecUpdate{Title: ptr("Shop API v2"), APIDetection: ptr(false)})
	require.NoError(t, err)
	require.Equal(t, "Shop API v2", changed.Body.Title)
	require.Equal(t, "public part", changed.Body.Description)
	policy, err := w.api.APISpecPolicyPut(client, id, &wallarm.APISpecPolicy{
		Enabled: true, UndefinedEndpointMode: "block", MissingAuthMode: "monitor",
		Conditions: []wallarm.APISpecPolicyCondition{{Type: "iequal", Point: []any{"header", "HOST"}, Value: "shop.example.com"}},
	})
	require.NoError(t, err)
	require.Equal(t, "block", policy.Body.UndefinedEndpointMode)
	one, err = w.api.APISpecReadByID(client, id)
	require.NoError(t, err)
	require.True(t, one.Policy.Enabled)

	require.NoError(t, w.api.APISpecDelete(client, id))
	require.NoError(t, w.api.APISpecDelete(client, id), "gone is gone")
	_, err = w.api.APISpecReadByID(client, id)
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = w.api.APISpecUpdate(client, id, &wallarm.APISpecUpdate{Title: ptr("x")})
	require.ErrorIs(t, err, wallarm.ErrNotFound)
	_, err = w.api.APISpecPolicyPut(client, id, &wallarm.APISpecPolicy{})
	require.ErrorIs(t, err, wallarm.ErrNotFound)
}

func TestOtherAccountsStayHidden(t *testing.T) {
	w := newWorld(t)
	other := int(wallarmtest.OtherClientID)
	_, err := w.api.NodeCreate(&wallarm.NodeCreate{Hostname: "edge-eu-2", Type: "cloud_node", Clientid: other})
	status(t, http.StatusForbidden, err)
}
