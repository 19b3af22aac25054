package wallarmtest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sampleKindsOfObjects are the kinds that the sample has beside events.
var sampleKindsOfObjects = strings.Fields(`api_endpoints api_parameters api_sessions api_session_requests integrations triggers activity`)

func TestSampleHasSomethingOfEachArea(t *testing.T) {
	s := NewServer(t, WithSampleData())
	now := s.Now().Unix()

	endpoints := bodyList(t, call200(t, s, "GET", endpointsPath+"?filter[clientid]=4711", ""))
	require.Len(t, endpoints, len(sampleEndpoints))
	for _, e := range endpoints {
		one := fmt.Sprintf("%s/%d", endpointsPath, e.int("id"))
		require.Equal(t, e.get("url"), call200(t, s, "GET", one, "").object("body").get("url"))
		call200(t, s, "GET", one+"/risk-factors", "")
		require.LessOrEqual(t, e.int("created_at"), now)
	}
	require.NotEmpty(t, bodyList(t, call200(t, s, "GET", fmt.Sprintf("%s/%d/parameters", endpointsPath, endpoints[1].int("id")), "")))

	sessions := bodyList(t, call200(t, s, "GET", "/v1/traces/sessions?client_id=4711&limit=100", ""))
	require.Len(t, sessions, len(sampleUsers))
	attacks := int64(0)
	for _, session := range sessions {
		path := "/v1/traces/client/4711/sessions/" + session.str("session_id")
		requests := bodyList(t, call200(t, s, "GET", path+"/requests?limit=100&start_time="+plainJSON(session.get("start_time")), ""))
		require.Len(t, requests, int(session.int("req_count")))
		require.Equal(t, session.get("end_time"), requests[0].get("request_time"))
		require.Equal(t, session.get("start_time"), requests[len(requests)-1].get("request_time"))
		require.True(t, call200(t, s, "GET", path, "").object("body").has("method_counts"))
		attacks += session.int("attack_sum_count")
	}
	require.Positive(t, attacks)

	integrations := s.Objects("integrations")
	require.Len(t, integrations, 3)
	require.Len(t, call200(t, s, "GET", "/v2/integration?clientid=4711", "").object("body").array("object"), 3)
	triggers := call200(t, s, "GET", "/v2/clients/4711/triggers", "").array("triggers")
	require.Len(t, triggers, 4, "three and the default one")
	for _, trigger := range triggers {
		for _, action := range trigger.(*object).array("actions") {
			for _, id := range asList(action.(*object).object("params").get("integration_ids")) {
				n, _ := asInt(id)
				require.NotNil(t, s.Object("integrations", n))
			}
		}
	}

	var events []*object
	for _, e := range call200(t, s, "GET", "/v1/activity_log/4711/events?limit=100", "").object("body").array("objects") {
		events = append(events, e.(*object))
	}
	require.Len(t, events, len(sampleChanges))
	require.True(t, slices.IsSortedFunc(events, func(a, b *object) int { return int(b.int("time") - a.int("time")) }))
	require.Less(t, events[0].int("time"), now)
	require.Equal(t, "Ada Admin", events[0].object("initiator").str("name"))
	require.Equal(t, []any{"active"}, events[0].array("changed_fields"))
}

func TestSampleOfAllAreasFollowsFromTheSeed(t *testing.T) {
	sample := func(seed int64) string {
		var b strings.Builder
		c := NewCloud(WithSeed(seed), fixedClock(), WithSampleData())
		for _, kind := range sampleKindsOfObjects {
			objects := c.Objects(kind)
			require.NotEmpty(t, objects, kind)
			fmt.Fprintf(&b, "%s %s\n", kind, objects)
		}
		return b.String()
	}
	require.Equal(t, sample(5), sample(5))
	require.NotEqual(t, sample(5), sample(6))
}

// TestSampleIsInvented looks at the hosts and addresses of the sample.
func TestSampleIsInvented(t *testing.T) {
	c := NewCloud(WithSampleData(), WithClock(func() time.Time { return noon }))
	var ranges []netip.Prefix
	for _, text := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"} {
		ranges = append(ranges, netip.MustParsePrefix(text))
	}
	host := regexp.MustCompile(`\b[a-z0-9-]+\.[a-z0-9.-]*(com|net|org)\b`)
	checked := 0
	var check func(v any)
	check = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, e := range v {
				check(e)
			}
		case []any:
			for _, e := range v {
				check(e)
			}
		case string:
			if address, err := netip.ParseAddr(v); err == nil {
				checked++
				require.True(t, slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(address) }), v)
			}
			for _, name := range host.FindAllString(v, -1) {
				checked++
				require.Regexp(t, `(^|\.)example\.(com|net|org)$`, name)
			}
		}
	}
	for _, kind := range sampleKindsOfObjects {
		for _, text := range c.Objects(kind) {
			var v any
			require.NoError(t, json.Unmarshal(text, &v))
			check(v)
		}
	}
	require.Greater(t, checked, 100)
}
