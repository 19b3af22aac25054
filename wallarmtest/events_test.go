package wallarmtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 8, 4, 12, 0, 0, 0, time.UTC)

func fixedClock() Option { return WithClock(func() time.Time { return noon }) }

func TestAttackFilters(t *testing.T) {
	s := NewServer(t, fixedClock())
	ids := s.SeedAttacks(
		Attack{Type: "sqli", Domain: "a.example.com", Time: noon.Add(-3 * time.Hour), Hits: []Hit{
			{Time: noon.Add(-3 * time.Hour), IP: "192.0.2.1", StatusCode: 403, BlockStatus: "blocked", RequestID: "5f0c9d7e2b1a4c3d8e6f708192a3b4c5"},
			{Time: noon.Add(-time.Hour), IP: "192.0.2.2", StatusCode: 200},
		}},
		Attack{Type: "xss", Domain: "b.example.com", Time: noon.Add(-2 * time.Hour), VulnID: 90210, PoolID: 12},
		Attack{Type: "warn", Domain: "c.example.com", Time: noon.Add(-30 * time.Minute), FalsePositive: true},
	)
	require.Len(t, ids, 3)
	hour := func(h int) int64 { return noon.Add(time.Duration(h) * time.Hour).Unix() }
	for _, test := range []struct {
		filter string
		want   string
	}{
		{`{}`, "sqli xss warn"},
		{`{"clientid":4711}`, "sqli xss warn"},
		{`{"type":["xss","sqli"]}`, "sqli xss"},
		{`{"!type":["warn"]}`, "sqli xss"},
		{`{"type":[]}`, ""},
		{`{"vulnid":null}`, "sqli warn"},
		{`{"!vulnid":null}`, "xss"},
		{`{"vulnid":[90210,1]}`, "xss"},
		{`{"!state":"falsepositive"}`, "sqli xss"},
		{`{"state":null}`, "sqli xss"},
		{`{"poolid":null}`, "sqli xss warn"},
		{`{"poolid":[-1]}`, "sqli warn"},
		{`{"ip":["192.0.2.2"]}`, "sqli"},
		{`{"ip":"192.0.2.2","statuscode":[403]}`, ""},
		{`{"statuscode":[[400,499]]}`, "sqli"},
		{`{"request_id":["5f0c9d7e2b1a4c3d8e6f708192a3b4c5"]}`, "sqli"},
		{`{"experimental":true}`, ""},
		{`{"!experimental":[true]}`, "sqli xss warn"},
		{`{"!experimental":false,"!aasm_event":false}`, "sqli xss warn"},
		{fmt.Sprintf(`{"time":[[%d,null]]}`, hour(-1)), "sqli warn"},
		{fmt.Sprintf(`{"time":[[null,%d]]}`, hour(-2)), "sqli xss"},
		{fmt.Sprintf(`{"time":[%d,%d]}`, hour(-2), hour(-2)), "xss"},
		{fmt.Sprintf(`{"time":[[%d,%d],[%d,null]]}`, hour(-2), hour(-2), hour(0)-1800), "xss warn"},
		{fmt.Sprintf(`{"attackid":%q}`, ids[1]), "xss"},
		{fmt.Sprintf(`{"attackid":[%q,%q]}`, ids[1].Index, ids[1].Doc), "xss"},
		{fmt.Sprintf(`{"attackid":[%q,%q]}`, ids[1], ids[0]), "sqli xss"},
		{fmt.Sprintf(`{"attackid":[[%q,%q]]}`, ids[1].Index, ids[1].Doc), "xss"},
		{fmt.Sprintf(`{"!attackid":[[%q,%q]]}`, ids[1].Index, ids[1].Doc), "sqli warn"},
		{`{"attackid":"attacks_production_4711_202608_v_1:nothing"}`, ""},
	} {
		got := ""
		for _, a := range bodyList(t, call200(t, s, "POST", "/v1/objects/attack",
			`{"filter":`+test.filter+`,"order_by":"last_time","order_desc":false}`)) {
			got += " " + a.str("type")
		}
		assert.ElementsMatch(t, strings.Fields(test.want), strings.Fields(got), test.filter)
	}
	for filter, field := range map[string]string{
		`{"tpye":["xss"]}`: "filter.tpye", `{"clientid":["x"]}`: "filter.clientid", `{"time":"now"}`: "filter.time",
	} {
		status, answer := send(t, s, AdminToken, "POST", "/v1/objects/attack", `{"filter":`+filter+`}`)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, answer, field)
	}
	status, _ := send(t, s, AdminToken, "POST", "/v1/objects/attack", `{"filter":{},"order_by":"nonsense"}`)
	require.Equal(t, http.StatusBadRequest, status)
}

func TestAttackCounters(t *testing.T) {
	s := NewServer(t, fixedClock())
	id := s.SeedAttacks(Attack{Time: noon, Hits: []Hit{
		{IP: "198.51.100.7", Country: "NL", Value: "a"}, {IP: "198.51.100.7", Country: "NL", Value: "b", Tor: true},
		{IP: "2001:db8::9", Value: "a", StatusCode: 404},
	}})[0]
	_, answer := send(t, s, AdminToken, "POST", "/v1/objects/attack/count", `{"filter":{"clientid":[4711]}}`)
	require.JSONEq(t, `{"status":200,"body":{"attacks":1,"hits":3.0,"ips":2}}`, answer)
	require.Contains(t, answer, `"hits":3.0`)
	filter := fmt.Sprintf(`{"filter":{"clientid":[4711],"attackid":[%q,%q]}}`, id.Index, id.Doc)
	_, answer = send(t, s, AdminToken, "POST", "/v1/objects/attack/ip", filter)
	require.JSONEq(t, `{"status":200,"body":["198.51.100.7","2001:db8::9"]}`, answer)
	_, answer = send(t, s, AdminToken, "POST", "/v1/objects/attack/vectors", filter)
	require.JSONEq(t, `{"status":200,"body":{"sqli":["a","b"]}}`, answer)

	a := bodyList(t, call200(t, s, "POST", "/v2/objects/attack", `{"filter":{"statuscode":[404]}}`))[0]
	require.EqualValues(t, 3, a.int("hits"))
	require.EqualValues(t, 1, a.int("hits_count_by_filter"))
	require.EqualValues(t, 2, a.int("vectors_count"))
	require.JSONEq(t, `[{"ip":"198.51.100.7","count":2,"country":"NL"},{"ip":"2001:db8::9","count":1,"country":null}]`,
		string(appendJSON(nil, a.get("ip_top"))))
	require.JSONEq(t, `[200,404]`, string(appendJSON(nil, a.get("statuscodes"))))
	require.JSONEq(t, `[{"response_status":"200","count":2},{"response_status":"404","count":1}]`,
		string(appendJSON(nil, a.get("response_status_counts"))))
}

// cursorWalk reads all pages and calls between after each of them.
func cursorWalk(t *testing.T, s *Server, path string, between func(page int)) []*object {
	t.Helper()
	var all []*object
	cursor := ""
	for page := 1; ; page++ {
		require.Less(t, page, 100)
		body := `{"paging":true,"filter":{"clientid":[4711]}`
		if cursor != "" {
			body += fmt.Sprintf(`,"cursor":%q`, cursor)
		}
		answer := call200(t, s, "POST", path, body+`}`)
		all = append(all, bodyList(t, answer)...)
		if cursor = answer.str("cursor"); cursor == "" {
			return all
		}
		between(page)
	}
}

func TestCursorWalkSeesEachAttackOnce(t *testing.T) {
	for _, path := range []string{"/v1/objects/attack", "/v2/objects/attack"} {
		s := NewServer(t, fixedClock())
		var attacks []Attack
		for i := range 750 {
			attacks = append(attacks, Attack{Time: noon.Add(-time.Duration(i%300) * time.Minute)})
		}
		ids := s.SeedAttacks(attacks...)
		all := cursorWalk(t, s, path, func(page int) {
			// New attacks, old attacks that come late, and hits that move an attack
			// which the walk has not reached, or has passed, to the front.
			s.SeedAttacks(Attack{Time: noon.Add(time.Minute)}, Attack{Time: noon.Add(-100 * time.Hour)})
			for _, i := range []int{299, 0, 200 + page, 599} {
				_, err := s.AddHit(ids[i], Hit{Time: noon.Add(time.Duration(page) * time.Hour)})
				require.NoError(t, err)
			}
			require.NoError(t, s.RemoveAttack(ids[400+page]))
		})
		seen := map[string]int{}
		for _, a := range all {
			seen[a.str("attackid")]++
		}
		for i, id := range ids {
			if i > 400 && i < 420 {
				continue // some were removed
			}
			require.Equal(t, 1, seen[id.String()], "attack %d", i)
		}
	}
}

func TestCursorOrderAndEnd(t *testing.T) {
	s := NewServer(t, fixedClock())
	var attacks []Attack
	for i := range 200 {
		attacks = append(attacks, Attack{Time: noon.Add(-time.Duration(i*7%200) * time.Second)})
	}
	s.SeedAttacks(attacks...)
	all := cursorWalk(t, s, "/v2/objects/attack", func(int) {})
	require.Len(t, all, 200)
	for i := 1; i < len(all); i++ {
		require.GreaterOrEqual(t, all[i-1].int("last_time"), all[i].int("last_time"))
	}
	status, answer := send(t, s, AdminToken, "POST", "/v2/objects/attack", `{"paging":true,"cursor":"nonsense","filter":{}}`)
	require.Equal(t, http.StatusBadRequest, status)
	require.JSONEq(t, `{"status":400,"body":{"cursor":{"error":"invalid","value":"nonsense"}}}`, answer)
}

func TestHits(t *testing.T) {
	s := NewServer(t, fixedClock())
	id := s.SeedAttacks(Attack{
		Domain: "shop.example.net", Path: "/v1/login", Method: "POST", Time: noon,
		Point: []any{"post", "json_doc", "array", 0, "hash", "q"}, Hits: []Hit{
			{IP: "198.51.100.7", Value: "first", Stamps: []int64{3301}}, {Time: noon.Add(time.Minute), Value: "second"},
		},
	})[0]
	hits := bodyList(t, call200(t, s, "POST", "/v1/objects/hit", `{"filter":{"clientid":4711},"limit":10,"offset":0}`))
	require.Len(t, hits, 2)
	require.Equal(t, "first", hits[0].str("value"))
	require.JSONEq(t, `["post","json_doc","array",0,"hash","q"]`, string(appendJSON(nil, hits[0].get("point"))))
	require.True(t, jsonEqual([]any{id.Index, id.Doc}, hits[0].get("attackid")))
	hits = bodyList(t, call200(t, s, "POST", "/v1/objects/hit", `{"filter":[{"clientid":[4711],"attackid":["`+id.String()+
		`"]}],"limit":1,"order_by":"time","order_desc":true}`))
	require.Len(t, hits, 1)
	require.Equal(t, "second", hits[0].str("value"))
	requestID := hits[0].str("request_id")
	require.Len(t, requestID, 32)
	require.Len(t, bodyList(t, call200(t, s, "POST", "/v1/objects/hit", fmt.Sprintf(`{"filter":{"clientid":4711,"request_id":%q,
		"state":null,"!type":["warn"],"security_issue_id":null,"!experimental":true,"!aasm_event":true},"limit":10}`, requestID))), 1)

	tuple := string(appendJSON(nil, hits[0].get("id")))
	details := bodyList(t, call200(t, s, "POST", "/v1/objects/hit/details", `{"filter":{"clientid":[4711],"id":`+tuple+`}}`))
	require.Len(t, details, 1)
	require.Equal(t, "/v1/login", details[0].object("raw").str("uri"))
	joined := hits[0].array("id")[0].(string) + "%3A" + hits[0].array("id")[1].(string)
	one := call200(t, s, "GET", "/v2/hit/details?id="+joined, "").object("body")
	require.Equal(t, "50122", one.str("remote_port"))
	require.Equal(t, "shop.example.net", one.object("headers").array("HOST")[0])
	status, raw := send(t, s, AdminToken, "POST", "/v1/objects/hit/raw", `{"filter":{"clientid":[4711],"id":`+tuple+`}}`)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, raw, "POST /v1/login HTTP/1.1\r\n")

	call200(t, s, "POST", "/v1/objects/hit/mark_false", `{"filter":{"clientid":[4711],"id":`+tuple+`}}`)
	require.Len(t, bodyList(t, call200(t, s, "POST", "/v1/objects/hit", `{"filter":{"!state":"falsepositive"}}`)), 1)
	require.Len(t, s.Rules(), 1, "the hidden rule")
	require.Empty(t, bodyList(t, call200(t, s, "POST", "/v1/objects/hint", `{"filter":{"system":false}}`)))

	status, _ = send(t, s, AdminToken, "POST", "/v1/objects/hit", `{"limit":1001,"filter":{}}`)
	require.Equal(t, http.StatusBadRequest, status)
	status, _ = send(t, s, OtherToken, "GET", "/v2/hit/details?id="+joined, "")
	require.Equal(t, http.StatusNotFound, status)
}

func TestPutEventsKeepsUnknownMembers(t *testing.T) {
	s := NewServer(t)
	attack := `{"id":["attacks_production_4711_202608_v_1","Zz81"],"clientid":4711,"type":"sqli","hits":9,"new_member":{"a":[1]}}`
	id, err := s.Put("attacks", attack)
	require.NoError(t, err)
	require.Equal(t, "attacks_production_4711_202608_v_1:Zz81", id)
	_, err = s.Put("hits", `{"id":["hits_production_4711_202608_v_1","Kf93-aa"],"attackid":["attacks_production_4711_202608_v_1","Zz81"],
		"time":1785802011,"ebpf":null,"later":12345678901234567890}`)
	require.NoError(t, err)
	got := bodyList(t, call200(t, s, "POST", "/v1/objects/attack", `{"filter":{"attackid":"`+id+`"}}`))[0]
	require.EqualValues(t, 9, got.int("hits"))
	require.JSONEq(t, `{"a":[1]}`, string(appendJSON(nil, got.get("new_member"))))
	_, answer := send(t, s, AdminToken, "POST", "/v1/objects/hit",
		`{"filter":{"id":["hits_production_4711_202608_v_1","Kf93-aa"]}}`)
	require.Contains(t, answer, `"later":12345678901234567890`)
	require.Contains(t, answer, `"ebpf":null`)
}

func TestEventIDsLeadBack(t *testing.T) {
	c := NewCloud(WithSeed(42))
	for _, n := range []uint64{0, 1, 77, 1 << 30, 1<<40 | 5} {
		place, ok := c.events.docPlace(c.events.docID(n))
		require.True(t, ok)
		require.Equal(t, n, place)
		request, ok := c.events.requestNumber(c.events.requestText(n))
		require.True(t, ok)
		require.Equal(t, n, request)
	}
	_, ok := c.events.docPlace("AAAAAAAAAAAAAAAAAAAA")
	require.False(t, ok)
}
