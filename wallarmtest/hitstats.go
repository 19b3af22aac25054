package wallarmtest

import (
	"bytes"
	"encoding/csv"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (c *Cloud) hitStatRoutes() []route {
	return []route{
		{
			ids: "attacks:19", name: "attacks.hitCount", method: http.MethodPost, pattern: "/v1/objects/attack/hit_count",
			handle: func(q *call) (reply, error) { return c.attackGraph(q, false) },
		},
		{
			ids: "attacks:20", name: "attacks.ipCount", method: http.MethodPost, pattern: "/v1/objects/attack/ip_count",
			handle: func(q *call) (reply, error) { return c.attackGraph(q, true) },
		},
		{
			ids: "attacks:21", name: "attacks.terms", method: http.MethodPost, pattern: "/v1/objects/attack/aggs_terms",
			handle: c.attackTerms,
		},
		{
			ids: "attacks:28", name: "hits.ips", method: http.MethodPost, pattern: "/v1/objects/hit/ips",
			handle: c.hitIPs,
		},
		{
			ids: "attacks:30", name: "hits.terms", method: http.MethodPost, pattern: "/v1/objects/hit/aggs_terms",
			handle: c.hitTerms,
		},
		{
			ids: "attacks:31", name: "hits.termCounts", method: http.MethodPost, pattern: "/v1/objects/hit/aggs_term_counts",
			handle: c.hitTermCounts,
		},
		{
			ids: "attacks:32", name: "hits.distinct", method: http.MethodGet, pattern: "/v1/objects/hit/aggs_counts",
			handle: c.hitDistinct,
		},
		{
			ids: "attacks:33", name: "hits.compromisedLogins", method: http.MethodPost,
			pattern: "/v1/objects/hit/compromised_logins/csv", handle: c.compromisedLogins,
		},
		{
			ids: "attacks:34", name: "hits.mitigations", method: http.MethodGet, pattern: "/v1/objects/hit/mitigations/stats",
			handle: c.hitMitigations,
		},
		{
			ids: "attacks:35", name: "hits.summary", method: http.MethodPost, pattern: "/v2/hits/summary",
			handle: c.hitSummary,
		},
		{
			ids: "attacks:36", name: "hits.sampling", method: http.MethodGet,
			pattern: "/v2/client/{client_id}/hits_sampling_status", handle: c.hitSampling,
		},
		{
			ids: "attacks:37", name: "hits.dropped", method: http.MethodGet,
			pattern: "/v2/client/{client_id}/dropped_raw_hits/{request_id}", handle: c.droppedHit,
		},
	}
}

// initHitStats makes two kinds of objects that have no route to create them:
// Put("hits_sampling", {"clientid":…,"active":true}) switches sampling on, and
// Put("dropped_raw_hits", {…}) stores what is known of a dropped request.
func (c *Cloud) initHitStats() {
	c.newTable("hits_sampling", "clientid", 9101)
	c.newTable("dropped_raw_hits", "client_id", 9201)
}

// attackGraph divides the time of the filter into points and counts in each
// the hits, or the addresses, of the attacks: all of them, and those that meet
// the whole filter.
func (c *Cloud) attackGraph(q *call, addresses bool) (reply, error) {
	aq, err := c.attackQuery(q)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	points, isInt := asInt(q.params.get("points"))
	switch {
	case q.params.get("points") == nil:
		errs.add("points", "required")
	case !isInt || points < 1 || points > 10000:
		errs.add("points", "invalid", q.params.get("points"))
	}
	window := aq.hits.only("time")
	if addresses && window == nil {
		errs.add("filter.time", "required")
	}
	if addresses && aq.attacks.only("attackid") == nil {
		errs.add("filter.attackid", "required")
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	from, to := c.window(q, aq, window)
	all, filtered := newGraph(points, from, to), newGraph(points, from, to)
	aq.each(func(index int32) bool {
		c.events.eachHit(&c.events.attacks[index], func(i int32, h *hit) bool {
			all.add(h, addresses)
			if aq.hits.match(hitRow{c.events, i}) {
				filtered.add(h, addresses)
			}
			return true
		})
		return true
	})
	return ok(obj("all", anyList(all.counts), "filtered", anyList(filtered.counts))), nil
}

// window is the time that a graph shows: that of the filter, with the first
// hit and the present for open ends.
func (c *Cloud) window(q *call, aq *attackQuery, on *condition[hitRow]) (from, to int64) {
	from, to = math.MaxInt64, math.MinInt64
	if on != nil {
		for _, r := range on.ranges {
			from, to = min(from, r.from), max(to, r.to)
		}
	}
	if from == math.MaxInt64 || from == openFrom {
		from = q.now.Unix()
		aq.each(func(index int32) bool {
			from = min(from, c.events.attacks[index].first)
			return true
		})
	}
	if to == math.MinInt64 || to == openTo {
		to = q.now.Unix()
	}
	return from, max(from, to)
}

type graph struct {
	counts   []int64
	from, to int64
	seen     map[graphKey]bool
}

type graphKey struct {
	point  int
	origin *origin
}

func newGraph(points, from, to int64) *graph {
	return &graph{make([]int64, points), from, to, map[graphKey]bool{}}
}

func (g *graph) add(h *hit, addresses bool) {
	if h.time < g.from || h.time > g.to {
		return
	}
	n := int64(len(g.counts))
	point := int(min((h.time-g.from)*n/max(g.to-g.from, 1), n-1))
	if addresses {
		key := graphKey{point, h.origin}
		if g.seen[key] {
			return
		}
		g.seen[key] = true
	}
	g.counts[point]++
}

// hitTermNames are the terms that the hit aggregations know, by the column
// that holds them.
var hitTermNames = map[string]string{
	"attack_id": "attackid", "attack_index": "attackid", "response_status": "statuscode", "remote_addr4": "ip", "remote_addr6": "ip",
}

func init() {
	for name := range strings.FieldsSeq(`clientid domain impression method parameter path point poolid remote_country remote_port
		datacenter tor proxy_type stamps regex type vulnid experimental wallarm_scanner block_status state state_updated_by lom_id
		wallarm_mode final_wallarm_mode libproton_version bola_counter dirbust_counter known_attack known_false protocol auth_protocol
		endpoint_id node_uuid compromised_logins statuscode`) {
		hitTermNames[name] = name
	}
}

// eachTerm yields the values that a hit has for a term, as they are in JSON.
func (s *eventStore) eachTerm(index int32, term string, yield func(any)) {
	h := &s.hits[index]
	switch isV6 := strings.Contains(h.origin.ip, ":"); {
	case term == "attack_id":
		yield(s.attackID(h.attack).Doc)
	case term == "attack_index":
		yield(s.attackID(h.attack).Index)
	case term == "point":
		yield(s.attacks[h.attack].shape.point)
	case term == "remote_port":
		yield(int64(h.port))
	case term == "node_uuid":
		yield(sampleNode)
	case term == "remote_addr4" && isV6, term == "remote_addr6" && !isV6:
	case h.more != nil && h.more.extra.has(hitTermNames[term]):
		for _, v := range asList(h.more.extra.get(hitTermNames[term])) {
			yield(v)
		}
	default:
		column, known := s.columns.hits[hitTermNames[term]]
		switch {
		case !known:
		case column.one != nil:
			yield(column.one(hitRow{s, index}).json())
		default:
			column.each(hitRow{s, index}, func(v value) bool {
				yield(v.json())
				return true
			})
		}
	}
}

// terms reads the names of the terms, which must be known.
func (q *call) terms() ([]string, error) {
	list := asList(q.params.get("terms"))
	if text, isText := q.params.get("terms").(string); isText {
		list = anyList(strings.Split(text, ","))
	}
	if len(list) == 0 {
		return nil, errField("terms", "required")
	}
	names := make([]string, len(list))
	for i, v := range list {
		name, _ := v.(string)
		if hitTermNames[name] == "" {
			return nil, errField("terms", "invalid", v)
		}
		names[i] = name
	}
	return names, nil
}

// termCount is a value of a term and how many hits have it.
type termCount struct {
	value any
	text  string
	count int
}

// termCounts counts the values of the terms among hits.
func (s *eventStore) termCounts(terms []string, each func(yield func(int32) bool)) map[string][]termCount {
	found := make([]map[string]*termCount, len(terms))
	for i := range found {
		found[i] = map[string]*termCount{}
	}
	each(func(index int32) bool {
		for i, term := range terms {
			s.eachTerm(index, term, func(v any) {
				text := string(appendJSON(nil, v))
				if found[i][text] == nil {
					found[i][text] = &termCount{value: v, text: text}
				}
				found[i][text].count++
			})
		}
		return true
	})
	out := map[string][]termCount{}
	for i, term := range terms {
		list := []termCount{}
		for _, entry := range found[i] {
			list = append(list, *entry)
		}
		slices.SortFunc(list, func(a, b termCount) int {
			if a.count != b.count {
				return b.count - a.count
			}
			return strings.Compare(a.text, b.text)
		})
		out[term] = list
	}
	return out
}

// termReply answers the values of each term, sorted.
func termReply(counts map[string][]termCount) reply {
	body := map[string]any{}
	for term, list := range counts {
		slices.SortFunc(list, func(a, b termCount) int { return valueOf(a.value).compare(valueOf(b.value)) })
		values := []any{}
		for _, entry := range list {
			if entry.value != nil {
				values = append(values, entry.value)
			}
		}
		body[term] = values
	}
	return ok(body)
}

func (c *Cloud) attackTerms(q *call) (reply, error) {
	aq, err := c.attackQuery(q)
	if err != nil {
		return reply{}, err
	}
	terms, err := q.terms()
	if err != nil {
		return reply{}, err
	}
	return termReply(c.events.termCounts(terms, func(yield func(int32) bool) {
		aq.each(func(index int32) bool {
			aq.eachHit(index, func(i int32, _ *hit) { yield(i) })
			return true
		})
	})), nil
}

func (c *Cloud) hitTerms(q *call) (reply, error) {
	hq, err := c.hitQuery(q)
	if err != nil {
		return reply{}, err
	}
	terms, err := q.terms()
	if err != nil {
		return reply{}, err
	}
	return termReply(c.events.termCounts(terms, hq.each)), nil
}

func (c *Cloud) hitTermCounts(q *call) (reply, error) {
	hq, err := c.hitQuery(q)
	if err != nil {
		return reply{}, err
	}
	terms, err := q.terms()
	if err != nil {
		return reply{}, err
	}
	top, isInt := asInt(q.params.get("top"))
	switch {
	case q.params.get("top") == nil:
		return reply{}, errField("top", "required")
	case !isInt || top < 1:
		return reply{}, errField("top", "invalid", q.params.get("top"))
	}
	body := map[string]any{}
	for term, list := range c.events.termCounts(terms, hq.each) {
		counts := obj()
		for _, entry := range list[:min(int(top), len(list))] {
			name, isText := entry.value.(string)
			if !isText {
				name = entry.text
			}
			counts.set(name, entry.count)
		}
		body[term] = counts
	}
	return ok(body), nil
}

// statsHits yields the hits of the client and the time that the query names.
func (c *Cloud) statsHits(q *call) (func(yield func(int32) bool), error) {
	if q.params.get("client_id") == nil {
		return nil, errField("client_id", "required")
	}
	id, err := q.clientParam("client_id", true)
	if err != nil {
		return nil, err
	}
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	for name, bound := range map[string]*int64{"start_time": &from, "end_time": &to} {
		v := q.params.get(name)
		if v == nil {
			continue
		}
		n, isInt := asInt(v)
		if !isInt {
			return nil, errField(name, "invalid", v)
		}
		*bound = n
	}
	return func(yield func(int32) bool) {
		e := c.events.clients[id]
		if e == nil {
			return
		}
		for _, index := range e.hits {
			if h := &c.events.hits[index]; !h.gone && h.time >= from && h.time <= to && !yield(index) {
				return
			}
		}
	}, nil
}

func (c *Cloud) hitDistinct(q *call) (reply, error) {
	each, err := c.statsHits(q)
	if err != nil {
		return reply{}, err
	}
	terms, err := q.terms()
	if err != nil {
		return reply{}, err
	}
	body := map[string]any{}
	for term, list := range c.events.termCounts(terms, each) {
		n := 0
		for _, entry := range list {
			if entry.value != nil {
				n++
			}
		}
		body[term] = n
	}
	return ok(body), nil
}

func (c *Cloud) hitIPs(q *call) (reply, error) {
	hq, err := c.hitQuery(q)
	if err != nil {
		return reply{}, err
	}
	v4, v6 := map[string]bool{}, map[string]bool{}
	hq.each(func(index int32) bool {
		if ip := c.events.hits[index].origin.ip; strings.Contains(ip, ":") {
			v6[ip] = true
		} else {
			v4[ip] = true
		}
		return true
	})
	return ok(obj("ipv4", sortedKeys(v4), "ipv6", sortedKeys(v6))), nil
}

func sortedKeys[V any](set map[string]V) []string {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// compromisedLogins lists the logins of hits that have some: seed them with
// Extra, {"compromised_logins":["user17@example.net"]}.
func (c *Cloud) compromisedLogins(q *call) (reply, error) {
	hq, err := c.hitQuery(q)
	if err != nil {
		return reply{}, err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"requested_domain", "login", "date_detected", "source_ip", "response_code"}}
	hq.each(func(index int32) bool {
		h := &c.events.hits[index]
		if h.more == nil {
			return true
		}
		for _, login := range stringsOf(h.more.extra.get("compromised_logins")) {
			rows = append(rows, []string{
				c.events.attacks[h.attack].shape.domain, login, time.Unix(h.time, 0).UTC().Format("2006-01-02 15:04:05 MST"),
				h.origin.ip, strconv.Itoa(int(h.status)),
			})
		}
		return true
	})
	if err := w.WriteAll(rows); err != nil {
		return reply{}, err
	}
	answer := file("text/csv", out.Bytes())
	answer.header = http.Header{"Content-Disposition": {`attachment; filename="compromised_logins.csv"`}}
	return answer, nil
}

// mitigationOf is the protection behind an attack type, "" for the others.
func mitigationOf(kind string) string {
	switch kind {
	case "api_abuse", "account_takeover", "security_crawlers", "scraping", "resource_consumption", "bot":
		return "api_abuse"
	case "credential_stuffing", "overlimit_res", "vpatch":
		return kind
	}
	if kind == "graphql_attacks" || strings.HasPrefix(kind, "gql_") {
		return "graphql"
	}
	return ""
}

func (c *Cloud) hitMitigations(q *call) (reply, error) {
	each, err := c.statsHits(q)
	if err != nil {
		return reply{}, err
	}
	total, blocked := map[string]int{}, map[string]int{}
	each(func(index int32) bool {
		h := &c.events.hits[index]
		name := mitigationOf(c.events.attacks[h.attack].shape.kind)
		total[name]++
		if h.block == blockBlocked {
			blocked[name]++
		}
		return true
	})
	body := obj()
	for _, name := range []string{"api_abuse", "credential_stuffing", "graphql", "overlimit_res", "vpatch"} {
		body.set(name, obj("blocked", blocked[name], "total", total[name]))
	}
	return ok(body), nil
}

func (c *Cloud) hitSummary(q *call) (reply, error) {
	hq, err := c.hitQuery(q)
	if err != nil {
		return reply{}, err
	}
	hits, blocked := 0, 0
	incidents := map[int32]bool{}
	hq.each(func(index int32) bool {
		h := &c.events.hits[index]
		hits++
		if h.block == blockBlocked {
			blocked++
		}
		if c.events.attacks[h.attack].vulnID != 0 {
			incidents[h.attack] = true
		}
		return true
	})
	return ok(obj("hits", hits, "incidents", len(incidents), "blocked", blocked)), nil
}

func (c *Cloud) hitSampling(q *call) (reply, error) {
	id, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	active := c.tables["hits_sampling"].find(func(o *object) bool { return o.int("clientid") == id && o.bool("active") }) != nil
	return ok(obj("active", active)), nil
}

func (c *Cloud) droppedHit(q *call) (reply, error) {
	id, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	found := c.tables["dropped_raw_hits"].find(func(o *object) bool {
		return o.int("client_id") == id && o.str("request_id") == q.path["request_id"]
	})
	if found == nil {
		return reply{}, errNotFound()
	}
	answer := found.clone()
	answer.del("id")
	return ok(answer), nil
}
