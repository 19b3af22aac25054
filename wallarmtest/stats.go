package wallarmtest

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// The fake knows no traffic but its hits, so they are the requests of the
// graphs. Nobody describes the answers of most graphs; the fake answers lists
// of [time, number].

func (c *Cloud) statsRoutes() []route {
	graph := func(ids, name, pattern string, points func(q *call, clientID int64, g *timeGraph) error) route {
		return route{
			ids: ids, name: "stats." + name, method: http.MethodPost, pattern: "/v2/graph_data/" + pattern,
			handle: func(q *call) (reply, error) { return c.drawGraph(q, points) },
		}
	}
	total := func(ids, name, pattern string, handle func(q *call, clientID int64) (reply, error)) route {
		return route{
			ids: ids, name: "stats." + name, method: http.MethodPost, pattern: "/v2/graph_data/" + pattern,
			handle: func(q *call) (reply, error) {
				clientID, err := q.pathClient("client_id")
				if err != nil {
					return reply{}, err
				}
				return handle(q, clientID)
			},
		}
	}
	return []route{
		graph("attacks:55,accounts:BG-3", "attacks", "attacks/client/{client_id}", c.plotAttacks),
		graph("attacks:56,accounts:BG-4", "incidents", "incidents/client/{client_id}", c.plotIncidents),
		graph("attacks:57,accounts:BG-5", "vulns", "vulns/client/{client_id}", c.plotVulns),
		graph("attacks:58,accounts:BG-6", "requests", "requests/client/{client_id}", c.plotRequests),
		graph("attacks:59,accounts:BG-7", "rate", "rps/client/{client_id}", c.plotRate),
		graph("accounts:BG-8a", "nodeRate", "rps/node/{uuid}", c.plotNodeRate),
		graph("accounts:BG-8b", "cloudNodeRate", "rps/cloud_node/{uuid}", c.plotNodeRate),
		graph("attacks:65,accounts:BG-14", "denylistSize", "blacklist_size/client/{client_id}/full", c.plotDenylist),
		total("attacks:60,accounts:BG-9", "targets", "targets/total/client/{client_id}", c.targetTotals),
		total("attacks:61,accounts:BG-10", "attackTypes", "attack_types/total/client/{client_id}", c.typeTotals),
		total("attacks:62,accounts:BG-11", "sources", "attacks_stats/total/client/{client_id}", c.sourceTotals),
		total("attacks:63,accounts:BG-12", "month", "summary/monthly/total/client/{client_id}", c.monthSummary),
		total("attacks:64,accounts:BG-13", "monthlyRequests", "summary/rpm/client/{client_id}", c.monthlyRequests),
	}
}

// timeGraph is a series of equal steps of time with a number for each.
type timeGraph struct {
	period  span
	step    int64
	numbers []float64
	threat  string
}

// add counts an event of a time within the period.
func (g *timeGraph) add(at int64) {
	if g.period.contains(at) {
		g.numbers[min(int((at-g.period.from)/g.step), len(g.numbers)-1)]++
	}
}

const maxPoints = 10000

// statsPeriod reads start_time and end_time.
func (q *call) statsPeriod(errs *fieldErrors) span {
	var ends [2]int64
	for i, name := range []string{"start_time", "end_time"} {
		v := q.params.get(name)
		n, isInt := asInt(v)
		switch {
		case v == nil:
			errs.add(name, "required")
		case !isInt || n < 0:
			errs.add(name, "invalid", v)
		}
		ends[i] = n
	}
	if ends[1] < ends[0] && errs.empty() {
		errs.add("end_time", "invalid", ends[1])
	}
	return span{ends[0], ends[1]}
}

// oneOf checks an optional parameter against its values.
func (q *call) oneOf(errs *fieldErrors, name string, values ...string) string {
	v := q.params.get(name)
	s, _ := v.(string)
	if v != nil && !slices.Contains(values, s) {
		errs.add(name, "invalid", v)
	}
	return s
}

func (c *Cloud) drawGraph(q *call, points func(q *call, clientID int64, g *timeGraph) error) (reply, error) {
	clientID := q.who.clientID
	if _, named := q.path["client_id"]; named {
		var err error
		if clientID, err = q.pathClient("client_id"); err != nil {
			return reply{}, err
		}
	}
	var errs fieldErrors
	g := &timeGraph{period: q.statsPeriod(&errs)}
	q.oneOf(&errs, "interpolation", "coarse", "linear")
	g.threat = q.oneOf(&errs, "threat", "low", "medium", "high")
	count, isInt := asInt(q.params.get("points_count"))
	switch {
	case q.params.get("points_count") == nil:
		errs.add("points_count", "required")
	case !isInt || count < 1 || count > maxPoints:
		errs.add("points_count", "invalid", q.params.get("points_count"))
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	g.step = max((g.period.to-g.period.from+count-1)/count, 1)
	g.numbers = make([]float64, count)
	if err := points(q, clientID, g); err != nil {
		return reply{}, err
	}
	list := make([]any, count)
	for i, n := range g.numbers {
		list[i] = []any{g.period.from + int64(i)*g.step, n}
	}
	return ok(list), nil
}

// eachAttackOf yields the attacks of a client that have something in common
// with a period, newest first.
func (s *eventStore) eachAttackOf(clientID int64, period span, yield func(index int32) bool) {
	e := s.clients[clientID]
	if e == nil {
		return
	}
	for _, index := range slices.Backward(e.attacks) {
		switch a := &s.attacks[index]; {
		case a.last < period.from:
			return
		case a.gone || a.first > period.to:
		case !yield(index):
			return
		}
	}
}

// eachHitOf yields the hits of a client in a period, newest first.
func (s *eventStore) eachHitOf(clientID int64, period span, yield func(h *hit)) {
	e := s.clients[clientID]
	if e == nil {
		return
	}
	for _, index := range slices.Backward(e.hits) {
		h := &s.hits[index]
		if h.time < period.from {
			return
		}
		if !h.gone && h.time <= period.to {
			yield(h)
		}
	}
}

func (c *Cloud) plotAttacks(_ *call, clientID int64, g *timeGraph) error {
	c.events.eachAttackOf(clientID, g.period, func(index int32) bool {
		g.add(c.events.attacks[index].first)
		return true
	})
	return nil
}

func (c *Cloud) plotIncidents(_ *call, clientID int64, g *timeGraph) error {
	c.events.eachAttackOf(clientID, g.period, func(index int32) bool {
		if a := &c.events.attacks[index]; a.vulnID != 0 {
			g.add(a.first)
		}
		return true
	})
	return nil
}

// threatLevel is the level of a number. Where the levels begin is not
// documented.
func threatLevel(threat int64) string {
	switch {
	case threat >= 80:
		return "high"
	case threat >= 50:
		return "medium"
	}
	return "low"
}

func (c *Cloud) plotVulns(_ *call, clientID int64, g *timeGraph) error {
	for _, o := range c.tables["vulns"].all() {
		if o.int("clientid") == clientID && (g.threat == "" || threatLevel(o.int("threat")) == g.threat) {
			g.add(o.int("validate_time"))
		}
	}
	return nil
}

func (c *Cloud) plotRequests(_ *call, clientID int64, g *timeGraph) error {
	c.events.eachHitOf(clientID, g.period, func(h *hit) { g.add(h.time) })
	return nil
}

func (c *Cloud) plotRate(q *call, clientID int64, g *timeGraph) error {
	err := c.plotRequests(q, clientID, g)
	for i := range g.numbers {
		g.numbers[i] /= float64(g.step)
	}
	return err
}

// plotNodeRate draws the one node that sees the hits; the other nodes of the
// caller's client see nothing.
func (c *Cloud) plotNodeRate(q *call, clientID int64, g *timeGraph) error {
	uuid := q.path["uuid"]
	if uuid == sampleNode {
		return c.plotRate(q, clientID, g)
	}
	nodes := c.tables["nodes"]
	if nodes == nil || nodes.find(func(o *object) bool {
		return o.str("uuid") == uuid && q.who.sees(o.int(nodes.owner))
	}) == nil {
		return errInner(http.StatusNotFound, "node not found", uuid)
	}
	return nil
}

// plotDenylist draws the present size of the denylist at every point: its
// past is not kept.
func (c *Cloud) plotDenylist(q *call, clientID int64, g *timeGraph) error {
	size := 0.0
	if rules := c.tables["ip_rules"]; rules != nil {
		for _, o := range rules.all() {
			expires := o.int("expired_at")
			if o.int(rules.owner) == clientID && o.str("list") == "black" && (expires == 0 || expires > q.now.Unix()) {
				size++
			}
		}
	}
	for i := range g.numbers {
		g.numbers[i] = size
	}
	return nil
}

// totals are counters by name, in the order of their names.
type totals map[string]int

func (t totals) json() map[string]any {
	out := make(map[string]any, len(t))
	for name, n := range t {
		out[name] = n
	}
	return out
}

func (c *Cloud) targetTotals(q *call, clientID int64) (reply, error) {
	var errs fieldErrors
	period := q.statsPeriod(&errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	attacks, incidents := totals{}, totals{}
	c.events.eachAttackOf(clientID, period, func(index int32) bool {
		a := &c.events.attacks[index]
		attacks[a.shape.target]++
		if a.vulnID != 0 {
			incidents[a.shape.target]++
		}
		return true
	})
	return ok(obj("attacks", attacks.json(), "incidents", incidents.json())), nil
}

func (c *Cloud) typeTotals(q *call, clientID int64) (reply, error) {
	var errs fieldErrors
	period := q.statsPeriod(&errs)
	pool := q.params.get("poolid")
	poolID, isInt := asInt(pool)
	if pool != nil && !isInt {
		errs.add("poolid", "invalid", pool)
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	kinds := totals{}
	c.events.eachAttackOf(clientID, period, func(index int32) bool {
		if p := c.events.attacks[index].shape; pool == nil || p.poolID == poolID {
			kinds[p.kind]++
		}
		return true
	})
	return ok(kinds.json()), nil
}

func (c *Cloud) sourceTotals(q *call, clientID int64) (reply, error) {
	var errs fieldErrors
	period := q.statsPeriod(&errs)
	counters := map[string]totals{"countries": {}, "datacenters": {}, "tors": {}}
	wanted := stringsOf(q.params.get("fields"))
	for _, name := range wanted {
		if counters[name] == nil {
			errs.add("fields", "invalid", name)
		}
	}
	for _, name := range stringsOf(q.params.get("request_categories")) {
		if name != "attacks" {
			errs.add("request_categories", "invalid", name)
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	c.events.eachHitOf(clientID, period, func(h *hit) {
		counters["countries"][cmp.Or(h.origin.country, "unknown")]++
		counters["datacenters"][h.origin.datacenter]++
		counters["tors"][h.origin.tor]++
	})
	body := obj()
	for _, name := range wanted {
		body.set(name, counters[name].json())
	}
	return ok(body), nil
}

func (c *Cloud) monthSummary(q *call, clientID int64) (reply, error) {
	var errs fieldErrors
	numbers := map[string]int64{}
	for name, most := range map[string]int64{"year": 9999, "month": 12} {
		v := q.params.get(name)
		n, isInt := asInt(v)
		switch {
		case v == nil:
			errs.add(name, "required")
		case !isInt || n < 1 || n > most:
			errs.add(name, "invalid", v)
		}
		numbers[name] = n
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	begin := time.Date(int(numbers["year"]), time.Month(numbers["month"]), 1, 0, 0, 0, 0, time.UTC)
	period := span{begin.Unix(), begin.AddDate(0, 1, 0).Unix() - 1}
	requests, attacks, blocked := 0, 0, 0
	c.events.eachHitOf(clientID, period, func(*hit) { requests++ })
	c.events.eachAttackOf(clientID, period, func(index int32) bool {
		a := &c.events.attacks[index]
		attacks++
		if a.blocked > 0 {
			blocked++
		}
		return true
	})
	return ok(obj("requests_count", requests, "attacks_count", attacks, "blocked_attacks_count", blocked)), nil
}

// monthlyRequests lists the months with requests, oldest first.
func (c *Cloud) monthlyRequests(_ *call, clientID int64) (reply, error) {
	counts := map[time.Time]int{}
	c.events.eachHitOf(clientID, span{openFrom, openTo}, func(h *hit) {
		at := time.Unix(h.time, 0).UTC()
		counts[time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)]++
	})
	months := make([]time.Time, 0, len(counts))
	for month := range counts {
		months = append(months, month)
	}
	slices.SortFunc(months, time.Time.Compare)
	list := make([]any, len(months))
	for i, month := range months {
		seconds := month.AddDate(0, 1, 0).Sub(month).Seconds()
		list[i] = obj("year", month.Year(), "month", int(month.Month()), "requests_count", counts[month],
			"rps", float64(counts[month])/seconds)
	}
	return ok(list), nil
}
