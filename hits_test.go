package wallarm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var _ = fixture(hitsList, func(ctx context.Context, c *Client) (any, error) {
	return c.Hits.List(ctx, HitFilter{
		Time: Between(time.Unix(1770000000, 0), time.Unix(1785888000, 0)), RequestIDs: []string{fixtureRequestID},
		State: Null[MarkStates](), SecurityIssue: Null[int64](),
		Not: &HitFilter{
			Types: []AttackType{AttackWarn, AttackInfoLeak}, State: Set(MarkStates{FalsePositive}), Experimental: Set(true), AASMEvent: Set(true),
		},
	}, PageOptions{Limit: 500})
})

var _ = fixture(hitsDetails, func(ctx context.Context, c *Client) (any, error) {
	return c.Hits.Details(ctx, HitFilter{ID: fixtureHitID})
})

var _ = fixture(hitsDetail, func(ctx context.Context, c *Client) (any, error) { return c.Hits.Detail(ctx, fixtureHitID) })

var _ = fixture(hitsRaw, func(ctx context.Context, c *Client) (any, error) { return c.Hits.Raw(ctx, fixtureHitID) })

var _ = fixture(hitsIPs, func(ctx context.Context, c *Client) (any, error) {
	return c.Hits.IPs(ctx, HitFilter{Time: Since(fixtureStart)})
})

var _ = fixture(hitsMarkFalsePositive, func(ctx context.Context, c *Client) (any, error) {
	return nil, c.Hits.MarkFalsePositive(ctx, fixtureHitID)
})

var _ = fixture(hitsTerms, func(ctx context.Context, c *Client) (any, error) {
	return c.Hits.Terms(ctx, HitFilter{Time: Since(fixtureStart)}, []Term{TermDomain, TermCountry})
})

var _ = fixture(hitsTermCounts, func(ctx context.Context, c *Client) (any, error) {
	return c.Hits.TermCounts(ctx, HitFilter{Time: Since(fixtureStart)}, []Term{TermDomain}, 5)
})

var _ = fixture(hitsDistinct, func(ctx context.Context, c *Client) (any, error) {
	return c.Hits.Distinct(ctx, fixtureDay, []Term{TermDomain})
})

var _ = fixture(hitsCompromisedLogins, func(ctx context.Context, c *Client) (any, error) {
	return c.Hits.CompromisedLogins(ctx, HitFilter{Time: Since(fixtureStart), Types: []AttackType{AttackCredentialStuffing}})
})

var _ = fixture(hitsMitigations, func(ctx context.Context, c *Client) (any, error) { return c.Hits.Mitigations(ctx, fixtureDay) })

var _ = fixture(hitsSummary, func(ctx context.Context, c *Client) (any, error) {
	return c.Hits.Summary(ctx, HitSummaryFilter{Time: fixtureDay, ApplicationID: Set(int64(-1))})
})

var _ = fixture(hitsSampling, func(ctx context.Context, c *Client) (any, error) { return c.Hits.Sampling(ctx) })

var _ = fixture(hitsDropped, func(ctx context.Context, c *Client) (any, error) { return c.Hits.Dropped(ctx, fixtureRequestID) })

func TestHitDecodesAllItsForms(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, jsonAnswer(`{"status":200,"body":[
		{"id":["h","1"],"known_false":"library","auth_protocol":"jwt","endpoint_id":71001,"statuscode":null,"stamps_hash":-884210037,
		 "point":["header","HOST","array",3],"attackid":[],"value":"\ud800","later":{"a":1}}]}`))
	page, err := client.Hits.List(t.Context(), HitFilter{}, PageOptions{})
	require.NoError(t, err)
	hit := page.Items[0]
	require.Equal(t, []string{"library"}, hit.KnownFalse)
	require.Equal(t, []string{"jwt"}, hit.AuthProtocols)
	require.Equal(t, "71001", hit.EndpointID)
	require.Equal(t, int64(-884210037), hit.StampsHash)
	require.Equal(t, "header(HOST).array(3)", hit.Point.String())
	require.True(t, hit.AttackID.IsZero())
	require.JSONEq(t, `{"a":1}`, string(hit.Extra["later"]))
	written, err := json.Marshal(hit)
	require.NoError(t, err)
	require.Contains(t, string(written), `"later":{"a":1}`)
}

func TestHitFilterForms(t *testing.T) {
	t.Parallel()
	filter := HitFilter{
		ClientIDs: []int64{1}, RequestIDs: []string{"r"}, AttackIDs: []EventID{fixtureAttackID}, VulnIDs: Null[[]int64](),
		EBPF: Set(false), Value: "x", Extra: Extra{"later": RawJSON(`[1]`)},
		Not: &HitFilter{AttackIDs: []EventID{{Index: "a", Doc: "b"}, {Index: "c", Doc: "d"}}, ApplicationIDs: []int64{}},
	}
	lists, err := wire.Marshal(filter)
	require.NoError(t, err)
	require.JSONEq(t, `{"clientid":[1],"request_id":["r"],"attackid":[["attacks_production_4711_202608_v_1","Zz81"]],"vulnid":null,
		"ebpf":false,"value":"x","later":[1],"!attackid":[["a","b"],["c","d"]],"!poolid":[]}`, string(lists))
	filter.ClientIDs = append(filter.ClientIDs, 2)
	scalars, err := wire.Marshal(hitListFilter(filter))
	require.NoError(t, err)
	require.Contains(t, string(scalars), `"clientid":[1,2]`)
	require.Contains(t, string(scalars), `"request_id":"r"`)
}

func TestHitRequestHeader(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, jsonAnswer(
		`{"status":200,"body":[{"id":["h","1"],"raw":{"headers":{"content-length":123,"HOST":["a.example.com"],"x-a":"b"}}}]}`))
	details, err := client.Hits.Details(t.Context(), HitFilter{ID: fixtureHitID})
	require.NoError(t, err)
	require.Equal(t, http.Header{"Content-Length": {"123"}, "Host": {"a.example.com"}, "X-A": {"b"}}, details[0].Request().Header())
}

// TestHitRequestsShowNoTraffic: headers and bodies hold credentials of the customer's users.
func TestHitRequestsShowNoTraffic(t *testing.T) {
	t.Parallel()
	var details HitDetails
	require.NoError(t, wire.Unmarshal([]byte(`{"id":["h","1"],"raw":{"method":"POST","uri":"/login?key=`+planted+`","headers":{"cookie":"`+planted+
		`"},"body":"`+planted+`"}}`), &details))
	for _, v := range []any{details, &details, *details.Raw, details.Raw, []HitDetails{details}, []*HitRequest{details.Raw}} {
		var shown strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&shown, verb, v)
		}
		slog.New(slog.NewTextHandler(&shown, nil)).Info("seen", "v", v)
		requireNoSecret(t, fmt.Sprintf("dump of %T", v), shown.String(), planted)
		require.Contains(t, shown.String(), "POST /login")
	}
	for uri, want := range map[string]string{
		"http://user:" + planted + "@example.com/login?x": "GET /login: 0 headers", "http://user:" + planted + "@example.com": "GET /: 0 headers",
		"/go/http://example.com/x": "GET /go/http://example.com/x: 0 headers",
	} {
		require.Equal(t, want, HitRequest{Method: "GET", URI: uri}.String())
	}
	written, err := json.Marshal(details)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(written), planted), "JSON has all of it")
	require.Contains(t, fmt.Sprint(HitDetails{ID: fixtureHitID}), fixtureHitID.String())
}

func TestHitDetailGone(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"status":200,"body":null}`, `null`} {
		client, _ := newTestClient(t, jsonAnswer(body))
		_, err := client.Hits.Detail(t.Context(), fixtureHitID)
		require.ErrorIs(t, err, ErrNotFound)
	}
}

func TestTermValues(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, jsonAnswer(`{"status":200,"body":{"poolid":[-1,"7",null,true]}}`))
	terms, err := client.Hits.Terms(t.Context(), HitFilter{}, []Term{TermApplicationID})
	require.NoError(t, err)
	values := terms[TermApplicationID]
	require.Len(t, values, 4)
	n, ok := values[0].Int()
	require.True(t, ok)
	require.Equal(t, int64(-1), n)
	require.Equal(t, "7", values[1].String())
	require.True(t, values[2].IsNull())
	require.Equal(t, "true", values[3].String())
	encoded, err := json.Marshal([]TermValue{{}, values[1]})
	require.NoError(t, err)
	require.JSONEq(t, `[null,"7"]`, string(encoded))
}

func TestTermCountsForms(t *testing.T) {
	t.Parallel()
	for form, known := range map[string]bool{
		`{"a.example.com":3}`:                     true,
		`[{"key":"a.example.com","count":3}]`:     true,
		`[{"value":"a.example.com","count":"3"}]`: true,
		`[["a.example.com",3]]`:                   false,
		`[{"key":"a.example.com"}]`:               false,
		`[{"key":"a.example.com","count":null}]`:  false,
		`7`:                                       false,
	} {
		client, _ := newTestClient(t, jsonAnswer(`{"status":200,"body":{"domain":`+form+`}}`))
		counts, err := client.Hits.TermCounts(t.Context(), HitFilter{}, []Term{TermDomain}, 1)
		require.NoError(t, err)
		require.JSONEq(t, form, string(counts[TermDomain].Raw()))
		got, ok := counts[TermDomain].Map()
		require.Equal(t, known, ok, form)
		if known {
			require.Equal(t, map[string]int64{"a.example.com": 3}, got)
		}
	}
}

func TestHitArguments(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{}`))
	ctx, hits := t.Context(), client.Hits
	two := fixtureDay.Or(Since(fixtureStart))
	for name, call := range map[string]func() error{
		"limit over the most": func() error { _, err := hits.List(ctx, HitFilter{}, PageOptions{Limit: 1001}); return err },
		"cursor":              func() error { _, err := hits.List(ctx, HitFilter{}, PageOptions{Cursor: "c"}); return err },
		"half an id":          func() error { _, err := hits.Details(ctx, HitFilter{ID: EventID{Doc: "x"}}); return err },
		"half an attack id": func() error {
			_, err := hits.IPs(ctx, HitFilter{AttackIDs: []EventID{{Index: "x"}}})
			return err
		},
		"no other proxies": func() error {
			_, err := hits.List(ctx, HitFilter{Not: &HitFilter{ProxyTypes: []string{"VPN"}}}, PageOptions{})
			return err
		},
		"no other presets": func() error {
			_, err := hits.List(ctx, HitFilter{Not: &HitFilter{Presets: []string{"x"}}}, PageOptions{})
			return err
		},
		"not changed since": func() error {
			_, err := hits.List(ctx, HitFilter{Not: &HitFilter{ChangedSince: At(fixtureStart)}}, PageOptions{})
			return err
		},
		"no id to mark":     func() error { return hits.MarkFalsePositive(ctx, EventID{}) },
		"no raw id":         func() error { _, err := hits.Raw(ctx, EventID{}); return err },
		"no detail id":      func() error { _, err := hits.Detail(ctx, EventID{}); return err },
		"not within not":    func() error { _, err := hits.IPs(ctx, HitFilter{Not: &HitFilter{Not: &HitFilter{}}}); return err },
		"backwards":         func() error { _, err := hits.Mitigations(ctx, Between(time.Unix(2, 0), time.Unix(1, 0))); return err },
		"two ranges":        func() error { _, err := hits.Mitigations(ctx, two); return err },
		"summary of two":    func() error { _, err := hits.Summary(ctx, HitSummaryFilter{Time: two}); return err },
		"no terms":          func() error { _, err := hits.Distinct(ctx, fixtureDay, nil); return err },
		"no top":            func() error { _, err := hits.TermCounts(ctx, HitFilter{}, []Term{TermPath}, 0); return err },
		"no request id":     func() error { _, err := hits.Dropped(ctx, ""); return err },
		"request id slash":  func() error { _, err := hits.Dropped(ctx, "a/b"); return err },
		"term with a comma": func() error { _, err := hits.Terms(ctx, HitFilter{}, []Term{"a,b"}); return err },
	} {
		require.ErrorIs(t, call(), ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests(), "what is refused must not be sent")
}

func TestHitsAllReadsEveryPage(t *testing.T) {
	t.Parallel()
	var stored []string
	for _, doc := range "abcde" {
		stored = append(stored, fmt.Sprintf(`{"id":["h","%c"]}`, doc))
	}
	var open atomic.Int64
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Limit, Offset int
			Filter        struct{ Time [][]*int64 }
		}
		data, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(data, &body)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if body.Filter.Time[0][1] == nil {
			open.Add(1)
		}
		from := min(body.Offset, len(stored))
		page := stored[from:min(from+body.Limit, len(stored))]
		_, _ = w.Write([]byte(`{"status":200,"body":[` + strings.Join(page, ",") + `]}`))
	})
	var docs string
	for hit, err := range client.Hits.All(t.Context(), HitFilter{Time: Since(fixtureStart)}, PageSize(2)) {
		require.NoError(t, err)
		docs += hit.ID.Doc
	}
	require.Equal(t, "abcde", docs)
	require.EqualValues(t, 1, open.Load(), "from the second page on the range is closed, so that new hits do not shift the pages")
	require.Greater(t, len(server.requests()), 2)
}
