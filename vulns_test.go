package wallarm

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	_ = fixture(vulnsList, func(ctx context.Context, c *Client) (any, error) {
		return c.Vulns.List(ctx, VulnFilter{
			TestRunIDs: Null[[]int64](), Validated: Set(true), Status: VulnOpen, Time: Since(time.Unix(1785801600, 0)),
			Not: &VulnFilter{Threat: []int64{10}}, Language: "en",
		}, PageOptions{Limit: 50})
	})
	_ = fixture(vulnsCount, func(ctx context.Context, c *Client) (any, error) {
		return c.Vulns.Count(ctx, VulnFilter{IDs: []int64{90210}, Validated: Set(true), Not: &VulnFilter{IDs: []int64{90211, 90212}}})
	})
	_ = fixture(vulnsUpdate, func(ctx context.Context, c *Client) (any, error) {
		return c.Vulns.Update(ctx, VulnSelection{IDs: []int64{90210}}, VulnUpdate{
			Status: Set(VulnClosed), Threat: Set(int64(0)), Description: Set(""), RecheckType: Null[string](), Hidden: Set(false),
			TemplateTexts: VulnTemplateTexts{Title: Set("Download of any file")}, Locations: Set([]VulnLocation{}),
		})
	})
	_ = fixture(vulnsMarkFalsePositive, func(ctx context.Context, c *Client) (any, error) {
		return nil, c.Vulns.MarkFalsePositive(ctx, 90210)
	})
	_ = fixture(vulnsTemplates, func(ctx context.Context, c *Client) (any, error) { return c.Vulns.Templates(ctx) })
	_ = fixture(vulnsTemplate, func(ctx context.Context, c *Client) (any, error) { return c.Vulns.Template(ctx, 12) })
)

// alwaysAnswer answers every request with a body.
func alwaysAnswer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func TestVulnArguments(t *testing.T) {
	client, server := newTestClient(t, alwaysAnswer(`{"status":200,"body":[]}`))
	ctx := t.Context()
	yesterday := time.Now().Add(-24 * time.Hour)
	closed := VulnUpdate{Status: Set(VulnClosed)}
	for name, call := range map[string]func() error{
		"update without ids": func() error { _, err := client.Vulns.Update(ctx, VulnSelection{}, closed); return err },
		"update with id 0": func() error {
			_, err := client.Vulns.Update(ctx, VulnSelection{IDs: []int64{1, 0}}, closed)
			return err
		},
		"update without changes": func() error {
			_, err := client.Vulns.Update(ctx, VulnSelection{IDs: []int64{1}}, VulnUpdate{})
			return err
		},
		"update of a client below 0": func() error {
			_, err := client.Vulns.Update(ctx, VulnSelection{IDs: []int64{1}, ClientID: -1}, closed)
			return err
		},
		"null status": func() error {
			_, err := client.Vulns.Update(ctx, VulnSelection{IDs: []int64{5}}, VulnUpdate{Status: Null[VulnStatus]()})
			return err
		},
		"close 0":    func() error { _, err := client.Vulns.Close(ctx, 0); return err },
		"reopen -1":  func() error { _, err := client.Vulns.Reopen(ctx, -1); return err },
		"mark 0":     func() error { return client.Vulns.MarkFalsePositive(ctx, 0) },
		"get 0":      func() error { _, err := client.Vulns.Get(ctx, 0); return err },
		"template 0": func() error { _, err := client.Vulns.Template(ctx, 0); return err },
		"limit": func() error {
			_, err := client.Vulns.List(ctx, VulnFilter{}, PageOptions{Limit: 1001})
			return err
		},
		"range": func() error {
			_, err := client.Vulns.Count(ctx, VulnFilter{ValidateTime: Between(time.Now(), yesterday)})
			return err
		},
		"range in not": func() error {
			_, err := client.Vulns.Count(ctx, VulnFilter{Not: &VulnFilter{Time: Between(time.Now(), yesterday)}})
			return err
		},
		"filter id": func() error { _, err := client.Vulns.Count(ctx, VulnFilter{IDs: []int64{-5}}); return err },
		"not in not": func() error {
			_, err := client.Vulns.Count(ctx, VulnFilter{Not: &VulnFilter{Not: &VulnFilter{}}})
			return err
		},
		"negated preset": func() error {
			_, err := client.Vulns.Count(ctx, VulnFilter{Not: &VulnFilter{Preset: VulnPresetAPI2In2019}})
			return err
		},
		"negated language": func() error {
			_, err := client.Vulns.Count(ctx, VulnFilter{Not: &VulnFilter{Language: "en"}})
			return err
		},
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests(), "nothing may be sent")
}

func TestVulnChanges(t *testing.T) {
	client, server := newTestClient(t, alwaysAnswer(`{"status":200,"body":[{"id":7,"status":"open"}]}`))
	v, err := client.Vulns.Reopen(t.Context(), 7)
	require.NoError(t, err)
	require.Equal(t, VulnOpen, v.Status)
	_, err = client.Vulns.Close(t.Context(), 7, WithClientID(4712))
	require.NoError(t, err)
	_, err = client.Vulns.Update(t.Context(), VulnSelection{IDs: []int64{7, 8}, ClientID: 5}, VulnUpdate{
		Extra: Extra{"new_member": RawJSON(`[1]`)}, Title: Set(""), LastCheck: Set(At(time.Unix(1785802100, 0))),
		Locations: Set([]VulnLocation{{Text: "GET /"}, {Method: "GET"}}),
	})
	require.NoError(t, err)
	sent := server.requests()
	require.JSONEq(t, `{"filter":{"id":7,"clientid":4711},"fields":{"status":"open"}}`, string(sent[0].Body))
	require.JSONEq(t, `{"filter":{"id":7,"clientid":4712},"fields":{"status":"closed"}}`, string(sent[1].Body))
	require.JSONEq(t, `{"filter":{"id":[7,8],"clientid":5},
		"fields":{"title":"","last_check":1785802100,"filter":["GET /",{"method":"GET"}],"new_member":[1]}}`, string(sent[2].Body))
}

func TestVulnNotThere(t *testing.T) {
	client, _ := newTestClient(t, alwaysAnswer(`{"status":200,"body":[]}`))
	_, err := client.Vulns.Close(t.Context(), 7)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = client.Vulns.Get(t.Context(), 7)
	require.ErrorIs(t, err, ErrNotFound)
	changed, err := client.Vulns.Update(t.Context(), VulnSelection{IDs: []int64{7}}, VulnUpdate{Status: Set(VulnOpen)})
	require.NoError(t, err)
	require.Empty(t, changed)
}

func TestVulnUnions(t *testing.T) {
	var v Vuln
	require.NoError(t, json.Unmarshal([]byte(`{"id":1,"filter":[{"method":"GET","port":80},"POST /x"],
		"template_params":{"text":"a","list":["b","c"],"none":[],"number":5,"mixed":["a",1],"null":null}}`), &v))
	require.Equal(t, []VulnLocation{{Method: "GET", Extra: Extra{"port": RawJSON("80")}}, {Text: "POST /x"}}, v.Locations)
	require.Equal(t, map[string]TemplateParam{
		"text": {Text: "a"}, "list": {List: []string{"b", "c"}}, "none": {List: []string{}},
		"number": {Raw: RawJSON("5")}, "mixed": {Raw: RawJSON(`["a",1]`)}, "null": {Raw: RawJSON("null")},
	}, v.TemplateParams)
	data, err := wire.Marshal(v.TemplateParams)
	require.NoError(t, err)
	require.JSONEq(t, `{"text":"a","list":["b","c"],"none":[],"number":5,"mixed":["a",1],"null":null}`, string(data))
}
