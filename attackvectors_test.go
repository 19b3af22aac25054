package wallarm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

const fixtureGroup = "eyJmIjpbInRzX2RheSJdLCJ2IjpbIjIwMjYtMDgtMDQiXX0="

var _ = fixture(vectorsSchema, func(ctx context.Context, c *Client) (any, error) { return c.AttackVectors.Schema(ctx) })

var _ = fixture(vectorsQuery, func(ctx context.Context, c *Client) (any, error) {
	return c.AttackVectors.Query(ctx, AttackQuery{
		Preset: PresetType, Period: PastDays(7),
		Select:  []AttackColumn{ColumnAttackTypes, ColumnRequests, ColumnUniqueIPs, ColumnBlocked, ColumnStatus},
		Where:   MatchAll(ColumnHost.In("shop.example.net", "*.pay.example.net"), ColumnRequests.Over(25)),
		OrderBy: []AttackOrder{{Field: ColumnRequests, Desc: true}},
	}, PageOptions{})
})

var _ = fixture(vectorsList, func(ctx context.Context, c *Client) (any, error) {
	return c.AttackVectors.List(ctx, fixtureGroup, PageOptions{Limit: 500})
})

var _ = fixture(vectorsStats, func(ctx context.Context, c *Client) (any, error) {
	return c.AttackVectors.Stats(ctx, AttackStatsQuery{Period: PastHours(24), Widgets: []Widget{
		{Type: WidgetValue, Field: ColumnBlocked, Title: "Blocked"},
		{Type: WidgetPieChart, Field: ColumnRequests, GroupBy: ColumnStatusClass, Limit: 4, Title: "Codes"},
	}})
})

var _ = fixture(vectorsExport, func(ctx context.Context, c *Client) (any, error) {
	return c.AttackVectors.Export(ctx, AttackQuery{
		Preset: PresetSourceIP, Select: []AttackColumn{ColumnIPs, ColumnRequests}, Period: PastDays(7),
	}, "soc@example.net")
})

var _ = fixture(vectorsMark, func(ctx context.Context, c *Client) (any, error) {
	return c.AttackVectors.Mark(ctx, []string{"b7c1e0d2-55", "b7c1e0d2-56"}, VerdictFalsePositive)
})

func TestWhereTree(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		where AttackWhere
		want  string
	}{
		"the composed example": {
			MatchAll(
				ContextParam("tenant").In("blue", "green"),
				MatchAny(ColumnUser.IsEmpty(), ColumnStatusCode.AtLeast(500)),
			),
			`{"kind":"group","op":"and","children":[
				{"kind":"condition","field":"context_param","key":"tenant","op":"in","values":["blue","green"]},
				{"kind":"group","op":"or","children":[
					{"kind":"condition","field":"user","op":"=","values":["__none__"]},
					{"kind":"condition","field":"status_code","op":">=","values":["500"]}]}]}`,
		},
		"one condition": {ColumnMark.Is(""), `{"kind":"condition","field":"mark","op":"=","values":[""]}`},
		"sql":           {AttackSQL("host = 'shop.example.net'"), `"host = 'shop.example.net'"`},
		"no values":     {ContextParam("tenant").IsEmpty(), `{"kind":"condition","field":"context_param","key":"tenant","op":"is_empty","values":[]}`},
		"numbers": {
			MatchAll(ColumnResponseTimeAvg.Under(12.5), ColumnRequestSize.AtMost(9007199254740991), ColumnApplicationID.Equals(-1)),
			`{"kind":"group","op":"and","children":[
				{"kind":"condition","field":"response_time_avg","op":"<","values":["12.5"]},
				{"kind":"condition","field":"request_size_sum","op":"<=","values":["9007199254740991"]},
				{"kind":"condition","field":"application_id","op":"=","values":["-1"]}]}`,
		},
		"times": {
			MatchAll(ColumnMinRequestTime.Since(fixtureStart), ColumnMaxRequestTime.Before(fixtureStart)),
			`{"kind":"group","op":"and","children":[
				{"kind":"condition","field":"min_request_time","op":">=","values":["2026-08-01T00:00:00Z"]},
				{"kind":"condition","field":"max_request_time","op":"<","values":["2026-08-01T00:00:00Z"]}]}`,
		},
		"not in": {
			MatchNot(ColumnHost.In("a", "b")),
			`{"kind":"group","op":"and","children":[
				{"kind":"condition","field":"host","op":"!=","values":["a"]},{"kind":"condition","field":"host","op":"!=","values":["b"]}]}`,
		},
		"not of a tree": {
			MatchNot(MatchAny(ColumnHost.In("a"), ColumnStatusCode.Over(3), ContextParam("k").IsNotEmpty(), MatchNot(ColumnUser.Is("u")))),
			`{"kind":"group","op":"and","children":[
				{"kind":"condition","field":"host","op":"!=","values":["a"]},
				{"kind":"condition","field":"status_code","op":"<=","values":["3"]},
				{"kind":"condition","field":"context_param","key":"k","op":"is_empty","values":[]},
				{"kind":"condition","field":"user","op":"=","values":["u"]}]}`,
		},
		"not of several that are not": {
			MatchNot(AttackCondition{Field: ColumnHost, Op: OperatorNotEqual, Values: []string{"a", "b"}}),
			`{"kind":"condition","field":"host","op":"in","values":["a","b"]}`,
		},
	} {
		require.NoError(t, checkWhere(c.where), name)
		encoded, err := wire.Marshal(c.where)
		require.NoError(t, err, name)
		require.JSONEq(t, c.want, string(encoded), name)
	}
}

// deep is a condition under n groups.
func deep(n int) AttackWhere {
	var w AttackWhere = ColumnHost.Is("a")
	for range n {
		w = MatchAll(w)
	}
	return w
}

func TestWhereLimits(t *testing.T) {
	t.Parallel()
	many := make([]AttackWhere, 99)
	for i := range many {
		many[i] = ColumnHost.Is(fmt.Sprint(i))
	}
	require.NoError(t, checkWhere(deep(9)))
	require.NoError(t, checkWhere(MatchAll(many...)))
	require.NoError(t, checkWhere(nil))
	require.NoError(t, checkWhere(MatchAny(ColumnRequests.Over(1), ColumnBlocked.Over(1))))
	for name, where := range map[string]AttackWhere{
		"too deep":                   deep(10),
		"too many":                   MatchAll(append(many, ColumnHost.Is("last"))...),
		"too many below two groups":  MatchAll(MatchAll(many[:50]...), MatchAll(many[:49]...)),
		"empty group":                MatchAll(),
		"nil child":                  MatchAll(nil),
		"not of nil":                 MatchAll(MatchNot(nil)),
		"mixed or":                   MatchAny(ColumnRequests.Over(1), ColumnHost.Is("a")),
		"mixed further down":         MatchAny(MatchAll(ColumnHost.Is("a"), ColumnRequests.Over(1)), ColumnHost.Is("b")),
		"no values":                  ColumnHost.In(),
		"no field":                   AttackCondition{Op: OperatorEqual, Values: []string{"a"}},
		"no operator":                AttackCondition{Field: ColumnHost, Values: []string{"a"}},
		"no key":                     ColumnContextParam.Is("a"),
		"key where none is":          AttackCondition{Field: ColumnHost, Key: "k", Op: OperatorEqual, Values: []string{"a"}},
		"is_empty of a column":       AttackCondition{Field: ColumnHost, Op: OperatorIsEmpty},
		"two bounds":                 AttackCondition{Field: ColumnStatusCode, Op: OperatorOver, Values: []string{"1", "2"}},
		"short search":               ColumnPayloadSearch.Is("ab"),
		"search in a list":           ColumnPayloadSearch.In("abc"),
		"search for two":             ColumnParameterSearch.In("abc", "def"),
		"sql in a group":             MatchAll(AttackSQL("a = 1")),
		"not of sql":                 MatchNot(AttackSQL("a = 1")),
		"empty sql":                  AttackSQL(""),
		"search with two as equal":   AttackCondition{Field: ColumnPayloadSearch, Op: OperatorEqual, Values: []string{"abc", "def"}},
		"negation of a bad operator": MatchNot(AttackCondition{Field: ColumnHost, Op: "like", Values: []string{"a"}}),
	} {
		require.ErrorIs(t, checkWhere(where), ErrInvalidArgument, name)
	}
}

func TestAttackPeriod(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]AttackPeriod{
		"-1h": PastHours(1), "-168h": PastHours(168), "-180d": PastDays(180), "-6m": PastMonths(6), "": {},
		"1785542400-1785628800": PeriodBetween(fixtureDay.From, fixtureDay.To),
	} {
		require.NoError(t, p.validate())
		require.Equal(t, want, p.String())
	}
	for _, p := range []AttackPeriod{
		PastHours(0), PastHours(169), PastDays(-1), PastDays(181), PastMonths(7), PeriodBetween(fixtureDay.To, fixtureDay.From),
		PeriodBetween(fixtureDay.From, fixtureDay.From.Add(999*time.Millisecond)), PeriodBetween(fixtureStart, fixtureStart.AddDate(1, 0, 0)),
		PeriodBetween(time.Time{}, fixtureStart),
	} {
		require.ErrorIs(t, p.validate(), ErrInvalidArgument, p)
	}
}

func TestAttackRowKeepsEveryColumn(t *testing.T) {
	t.Parallel()
	var row AttackRow
	require.NoError(t, wire.Unmarshal([]byte(`{"id":"g","ts_day":"2026-08-04","attack_type":"xss","attack_type_label":"Cross-site Scripting",
		"requests_count":9007199254740993,"response_time_avg":12.5,"blocked_count":0,"unique_ips":"12","host":null,"status":"Blocked",
		"min_request_time":"2026-08-01T00:00:00Z","status_codes":{"count":7,"values":[200,"403"]},"new_column":[1]}`), &row))
	n, ok := row.Int(ColumnRequests)
	require.True(t, ok)
	require.Equal(t, int64(9007199254740993), n, "large numbers keep their digits")
	n, ok = row.Int(ColumnBlocked)
	require.True(t, ok && n == 0, "zero is not absent")
	_, ok = row.Int(ColumnSuccess)
	require.False(t, ok)
	_, ok = row.Int(ColumnHost)
	require.False(t, ok, "null is absent")
	_, ok = row.Int(ColumnAttackType)
	require.False(t, ok, "a text is no number")
	n, ok = row.Int(ColumnUniqueIPs)
	require.True(t, ok && n == 12, "a number in quotes is one")
	f, ok := row.Number(ColumnResponseTimeAvg)
	require.True(t, ok && f == 12.5)
	require.Equal(t, "Cross-site Scripting", row.Label(ColumnAttackType))
	require.Equal(t, "2026-08-04", row.Label(ColumnDay))
	require.Empty(t, row.Text(ColumnHost)+row.Text(ColumnPath))
	require.Equal(t, "[1]", row.Text("new_column"))
	require.Equal(t, RowBlocked, row.Status())
	at, ok := row.Time(ColumnMinRequestTime)
	require.True(t, ok && at.Equal(fixtureStart))
	sample, ok := row.Sample(ColumnStatusCodes)
	require.True(t, ok)
	require.Equal(t, ValueSample{Count: 7, Values: []string{"200", "403"}}, sample)
}

func TestQueryCursorsLeadBothWays(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		answer := `{"data":[{"id":"1"}],"next_cursor":"to-2","prev_cursor":null}`
		if strings.Contains(string(body), `"cursor":"to-2"`) {
			answer = `{"data":[{"id":"2"}],"prev_cursor":"to-1"}`
		}
		_, _ = io.WriteString(w, answer)
	})
	query := AttackQuery{Select: []AttackColumn{ColumnRequests}, GroupBy: []AttackColumn{ColumnHost}}
	first, err := client.AttackVectors.Query(t.Context(), query, PageOptions{Limit: 1}, WithTimeZone("Europe/Berlin"))
	require.NoError(t, err)
	require.Nil(t, first.Prev)
	second, err := client.AttackVectors.Query(t.Context(), query, first.Next)
	require.NoError(t, err)
	require.False(t, second.More)
	back, err := client.AttackVectors.Query(t.Context(), query, *second.Prev)
	require.NoError(t, err)
	require.Equal(t, first.Items, back.Items)
	sent := server.requests()
	require.Equal(t, "Europe/Berlin", sent[0].Header.Get("X-Time-Zone"))
	require.Empty(t, sent[1].Header.Get("X-Time-Zone"))
	require.JSONEq(t, `{"select":["requests_count"],"group_by":["host"],"limit":1,"cursor":"to-1"}`, string(sent[2].Body))
	var ids string
	for row, err := range client.AttackVectors.QueryAll(t.Context(), query) {
		require.NoError(t, err)
		ids += row.ID
	}
	require.Equal(t, "12", ids)
}

// behindServer answers the lists of attack vectors, whose cursors are "behind this item": what leaves the list shifts the items of its page only.
func behindServer(t *testing.T, items *[]int, item func(n int) string) *Client {
	client, _ := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Cursor string `json:"cursor"`
			Limit  int    `json:"limit"`
		}
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.NoError(t, wire.Unmarshal(body, &asked))
		after := 0
		_, _ = fmt.Sscanf(asked.Cursor, "behind-%d", &after)
		rest := slices.DeleteFunc(slices.Clone(*items), func(n int) bool { return n <= after })
		cursor, more := "null", len(rest) > asked.Limit
		if more {
			rest = rest[:asked.Limit]
			cursor = fmt.Sprintf(`"behind-%d"`, rest[asked.Limit-1])
		}
		var shown []string
		for _, n := range rest {
			shown = append(shown, item(n))
		}
		_, _ = fmt.Fprintf(w, `{"data":[%s],"cursor":%s,"has_more":%t}`, strings.Join(shown, ","), cursor, more)
	})
	return client
}

// TestResumeOfVectorsThatWentAway: one that was handled has left the list, and none of the others is left out or comes again.
func TestResumeOfVectorsThatWentAway(t *testing.T) {
	query := AttackQuery{Select: []AttackColumn{ColumnRequests}, GroupBy: []AttackColumn{ColumnHost}}
	var items []int
	vectors := behindServer(t, &items, func(n int) string { return fmt.Sprintf(`{"vector_id":"%d","type":"xss"}`, n) })
	// The ids of two rows are one, and what they say differs.
	rows := behindServer(t, &items, func(n int) string { return fmt.Sprintf(`{"id":"%d","host":"%d","requests_count":7}`, n/2, n) })
	for name, read := range map[string]func(opts ...CallOption) (got []string){
		"vectors": func(opts ...CallOption) (got []string) {
			for v, err := range vectors.AttackVectors.All(t.Context(), "group", opts...) {
				require.NoError(t, err)
				got = append(got, v.ID)
			}
			return got
		},
		"rows": func(opts ...CallOption) (got []string) {
			for row, err := range rows.AttackVectors.QueryAll(t.Context(), query, opts...) {
				require.NoError(t, err)
				got = append(got, row.Text(ColumnHost))
			}
			return got
		},
	} {
		for gone := range 9 {
			items = []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
			var place Checkpoint
			handled := read(PageSize(5), Resume(&place), MaxItems(8))
			require.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7", "8"}, handled, name)
			place = carry(t, place)
			items = slices.Delete(items, gone, gone+1)
			want := []string{"9", "10", "11", "12"}
			if gone == 8 {
				want = want[1:]
			}
			require.Equal(t, want, read(PageSize(5), Resume(&place)), "%s, without %d", name, gone+1)
		}
	}
}

// TestRowsThatSayTheSameAreDifferentOnes: single attacks of which the query asks for little.
func TestRowsThatSayTheSameAreDifferentOnes(t *testing.T) {
	query := AttackQuery{Select: []AttackColumn{ColumnRequests}, Preset: PresetNone}
	items := make([]int, 230)
	for i := range items {
		items[i] = i + 1
	}
	client := behindServer(t, &items, func(n int) string { return fmt.Sprintf(`{"id":"day","type":%d,"requests_count":1}`, n%3) })
	var place Checkpoint
	for _, opts := range [][]CallOption{nil, {Resume(&place)}} {
		count := 0
		for _, err := range client.AttackVectors.QueryAll(t.Context(), query, opts...) {
			require.NoError(t, err)
			count++
		}
		require.Equal(t, len(items), count)
	}
	// What is not on the page of the place comes in any case.
	place = Checkpoint{}
	count := 0
	for range client.AttackVectors.QueryAll(t.Context(), query, Resume(&place), MaxItems(100)) {
		count++
	}
	for _, err := range client.AttackVectors.QueryAll(t.Context(), query, Resume(&place)) {
		require.NoError(t, err)
		count++
	}
	require.Equal(t, len(items), count)
}

// TestRowsForEver: a service that gives the same rows with ever new cursors ends the list with an error.
func TestRowsForEver(t *testing.T) {
	asked := 0
	client, _ := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked > 3*maxStale {
			_, _ = io.WriteString(w, `{"data":[],"next_cursor":null}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"data":[{"id":"a"},{"id":"b"}],"next_cursor":"to-%d"}`, asked)
	})
	var failure error
	for _, err := range client.AttackVectors.QueryAll(t.Context(), AttackQuery{Select: []AttackColumn{ColumnRequests}, Preset: PresetNone}) {
		failure = err
	}
	require.ErrorIs(t, failure, ErrResponse)
	require.Less(t, asked, 2*maxStale)
}

// TestResumeOfRowsThatChanged: a row whose numbers have grown may come again, and none is left out.
func TestResumeOfRowsThatChanged(t *testing.T) {
	query := AttackQuery{Select: []AttackColumn{ColumnRequests}, GroupBy: []AttackColumn{ColumnHost}}
	items, requests := []int{1, 2, 3, 4, 5, 6}, map[int]int{}
	client := behindServer(t, &items, func(n int) string {
		return fmt.Sprintf(`{"id":"%d","host":"%[1]d","requests_count":%d}`, n, requests[n])
	})
	for _, changed := range [][]int{{1}, {2}, {3}, {1, 2, 3}, {4, 5}} {
		clear(requests)
		var place Checkpoint
		seen := map[string]bool{}
		for row, err := range client.AttackVectors.QueryAll(t.Context(), query, PageSize(5), Resume(&place), MaxItems(3)) {
			require.NoError(t, err)
			seen[row.ID] = true
		}
		for _, n := range changed {
			requests[n]++
		}
		for row, err := range client.AttackVectors.QueryAll(t.Context(), query, PageSize(5), Resume(&place)) {
			require.NoError(t, err)
			seen[row.ID] = true
		}
		require.Len(t, seen, len(items), "%v", changed)
	}
}

func TestMarkSendsExactlyOneTarget(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"marked_count":3}`))
	ctx, vectors := t.Context(), client.AttackVectors
	result, err := vectors.MarkGroup(ctx, fixtureGroup, VerdictTruePositive)
	require.NoError(t, err)
	require.Equal(t, int64(3), result.Count)
	_, err = vectors.MarkRequests(ctx, []string{fixtureRequestID}, VerdictNone)
	require.NoError(t, err)
	sent := server.requests()
	require.JSONEq(t, `{"group_id":"`+fixtureGroup+`","mark":"tp"}`, string(sent[0].Body))
	require.JSONEq(t, `{"request_ids":["`+fixtureRequestID+`"],"mark":""}`, string(sent[1].Body), "the empty verdict is sent")
}

func TestFalsePositivesAreRepeatedOnRequestOnly(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	_, err := client.AttackVectors.MarkGroup(t.Context(), fixtureGroup, VerdictFalsePositive)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.Len(t, server.requests(), 1)
	_, err = client.AttackVectors.MarkGroup(t.Context(), fixtureGroup, VerdictFalsePositive, WithReplayClass(ReplayIdempotent), WithRetries(2))
	require.Error(t, err)
	require.Len(t, server.requests(), 4)
	for i, verdict := range []Verdict{VerdictTruePositive, VerdictNone} {
		_, err = client.AttackVectors.MarkGroup(t.Context(), fixtureGroup, verdict, WithRetries(1))
		require.Error(t, err)
		require.Len(t, server.requests(), 4+2*(i+1), "these verdicts have no side effect")
	}
}

func TestRowColumnsWithTwoNames(t *testing.T) {
	t.Parallel()
	var row AttackRow
	require.NoError(t, wire.Unmarshal([]byte(`{"id":"g","path":"/cart","ip_addresses":{"count":1,"values":["198.51.100.7"]}}`), &row))
	require.Equal(t, "/cart", row.Text(ColumnPath))
	ips, ok := row.Sample(ColumnIPs)
	require.True(t, ok)
	require.Equal(t, []string{"198.51.100.7"}, ips.Values)
}

func TestAttackVectorPointAndAddress(t *testing.T) {
	t.Parallel()
	for point, want := range map[string]string{`"post.form.comment"`: "post.form.comment", `["post","array",1]`: "post.array(1)", `null`: ""} {
		var v AttackVector
		require.NoError(t, wire.Unmarshal([]byte(`{"point":`+point+`,"remote_addr6":"2001:db8::9"}`), &v))
		require.Equal(t, want, v.Point.String())
		require.Equal(t, "2001:db8::9", v.IP())
	}
	require.Equal(t, "198.51.100.7", (&AttackVector{RemoteIPv4: "198.51.100.7", RemoteIPv6: "2001:db8::9"}).IP())
}

func TestStatsAnswersAreFoundByTitle(t *testing.T) {
	t.Parallel()
	client, _ := newTestClient(t, jsonAnswer(`{"widgets":[{"type":"top_list","title":"B","data":[{"label":"l","key":"k","value":1.5,"percentage":0}]}]}`))
	stats, err := client.AttackVectors.Stats(t.Context(), AttackStatsQuery{Widgets: []Widget{
		{Type: WidgetValue, Field: ColumnBlocked, Title: "A"}, {Type: WidgetTopList, Field: ColumnRequests, GroupBy: ColumnHost, Title: "B"},
	}})
	require.NoError(t, err)
	require.Nil(t, stats.Widget(WidgetValue, "A"))
	point := stats.Widget(WidgetTopList, "B").Data[0]
	require.InDelta(t, 1.5, point.Value, 0)
	require.NotNil(t, point.Percentage)
}

func TestVectorArguments(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{}`))
	ctx, vectors := t.Context(), client.AttackVectors
	good := AttackQuery{Select: []AttackColumn{ColumnRequests}}
	query := func(q AttackQuery, page PageOptions) error { _, err := vectors.Query(ctx, q, page); return err }
	list := func(page PageOptions) error { _, err := vectors.List(ctx, fixtureGroup, page); return err }
	stats := func(w ...Widget) error { _, err := vectors.Stats(ctx, AttackStatsQuery{Widgets: w}); return err }
	value := Widget{Type: WidgetValue, Field: ColumnBlocked}
	export := func(email string) error { _, err := vectors.Export(ctx, good, email); return err }
	mark := func(ids ...string) error { _, err := vectors.Mark(ctx, ids, VerdictNone); return err }
	group := func(id string) error { _, err := vectors.MarkGroup(ctx, id, VerdictNone); return err }
	for name, err := range map[string]error{
		"no columns":          query(AttackQuery{}, PageOptions{}),
		"empty column":        query(AttackQuery{Select: []AttackColumn{""}}, PageOptions{}),
		"preset and group by": query(AttackQuery{Select: good.Select, Preset: PresetNone, GroupBy: []AttackColumn{ColumnHost}}, PageOptions{}),
		"empty order":         query(AttackQuery{Select: good.Select, OrderBy: []AttackOrder{{}}}, PageOptions{}),
		"period":              query(AttackQuery{Select: good.Select, Period: PastDays(181)}, PageOptions{}),
		"where":               query(AttackQuery{Select: good.Select, Where: MatchAny()}, PageOptions{}),
		"rows":                query(good, PageOptions{Limit: 101}),
		"offset":              query(good, PageOptions{Offset: 1}),
		"order by":            query(good, PageOptions{OrderBy: "host"}),
		"vectors":             list(PageOptions{Limit: 1001}),
		"order":               list(PageOptions{Order: Descending}),
		"no widgets":          stats(),
		"no field":            stats(Widget{Type: WidgetValue}),
		"ungrouped":           stats(Widget{Type: WidgetTopList, Field: ColumnBlocked}),
		"twins":               stats(value, value),
		"negative":            stats(Widget{Type: WidgetValue, Field: ColumnBlocked, Limit: -1}),
		"no address":          export("soc"),
		"two addresses":       export("a@example.net b@example.net"),
		"no vectors":          mark(),
		"empty vector":        mark("a", ""),
		"no group":            group(""),
		"time zone":           func() error { _, err := vectors.Schema(ctx, WithTimeZone("")); return err }(),
		"time zone injection": func() error { _, err := vectors.Schema(ctx, WithTimeZone("a\r\nb")); return err }(),
	} {
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	for _, err := range vectors.All(ctx, "") {
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	_, err := vectors.MarkRequests(ctx, nil, VerdictNone)
	require.True(t, errors.Is(err, ErrInvalidArgument))
	require.Empty(t, server.requests(), "what is refused must not be sent")
}
