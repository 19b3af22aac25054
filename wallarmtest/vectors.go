package wallarmtest

import (
	"encoding/base64"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (c *Cloud) vectorRoutes() []route {
	const prefix = "/v1/client/{client_id}/attack-vectors/"
	return []route{
		{
			ids: "attacks:1", name: "attackVectors.schema", method: http.MethodGet, pattern: prefix + "security-agg/query/schema",
			handle: c.vectorSchema,
		},
		{
			ids: "attacks:2", name: "attackVectors.query", method: http.MethodPost, pattern: prefix + "security-agg/query",
			handle: c.vectorQuery,
		},
		{
			ids: "attacks:3", name: "attackVectors.list", method: http.MethodPost, pattern: prefix + "by-group",
			handle: c.vectorsOfGroup,
		},
		{
			ids: "attacks:4", name: "attackVectors.stats", method: http.MethodPost, pattern: prefix + "security-agg/stats",
			handle: c.vectorStats,
		},
		{
			ids: "attacks:5", name: "attackVectors.export", method: http.MethodPost, pattern: prefix + "security-agg/export",
			writes: true, access: accessReaders, handle: c.vectorExport,
		},
		{
			ids: "attacks:6", name: "attackVectors.mark", method: http.MethodPost, pattern: prefix + "mark",
			writes: true, access: accessAnalysts, handle: c.markVectors,
		},
	}
}

func (c *Cloud) initVectors() { c.newTable("attack_exports", "client_id", 9301) }

// period is the time of a query.
type period struct {
	from, to int64
	zone     *time.Location // of absolute ranges
}

var (
	relativeRange = regexp.MustCompile(`^-(\d{1,4})([hdm])$`)
	absoluteRange = regexp.MustCompile(`^(\d{1,12})-(\d{1,12})$`)
)

func (q *call) period() (period, error) {
	p := period{from: q.now.Unix() - 24*3600, to: q.now.Unix(), zone: time.UTC}
	v := q.params.get("time_range")
	text, isText := v.(string)
	refused := errRule("time_range", "invalid", "time_range must be -Nh, -Nd, -Nm or FROM-TO of at most six months")
	if v == nil {
		return p, nil
	}
	if m := relativeRange.FindStringSubmatch(text); isText && m != nil {
		n, err := strconv.Atoi(m[1])
		most := map[string]int{"h": 168, "d": 180, "m": 6}[m[2]]
		if err != nil || n < 1 || n > most {
			return p, refused
		}
		switch m[2] {
		case "h":
			p.from = q.now.Add(-time.Duration(n) * time.Hour).Unix()
		case "d":
			p.from = q.now.AddDate(0, 0, -n).Unix()
		case "m":
			p.from = q.now.AddDate(0, -n, 0).Unix()
		}
		return p, nil
	}
	m := absoluteRange.FindStringSubmatch(text)
	if m == nil {
		return p, refused
	}
	from, err1 := strconv.ParseInt(m[1], 10, 64)
	to, err2 := strconv.ParseInt(m[2], 10, 64)
	if err1 != nil || err2 != nil || from >= to || to > time.Unix(from, 0).AddDate(0, 6, 0).Unix() {
		return p, refused
	}
	p.from, p.to = from, to
	if zone, err := time.LoadLocation(q.http.Header.Get("X-Time-Zone")); err == nil {
		p.zone = zone
	}
	return p, nil
}

// eachVector yields the hits of a client within the period that meet the
// conditions on vectors, from newest to oldest.
func (s *eventStore) eachVector(clientID int64, p period, where *whereNode, yield func(hitRow) bool) {
	e := s.clients[clientID]
	if e == nil {
		return
	}
	for _, index := range slices.Backward(e.hits[:s.hitPlace(e.hits, p.to, math.MaxInt32)]) {
		h := &s.hits[index]
		if h.time < p.from {
			return
		}
		if r := (hitRow{s, index}); !h.gone && where.selects(r) && !yield(r) {
			return
		}
	}
}

// vectorGroup is a row in the making.
type vectorGroup struct {
	s        *eventStore
	clientID int64
	dims     []string // values of the dimensions
	vectors  int
	// requests are the requests, and whether they were blocked.
	requests                  map[value]bool
	success                   map[value]bool
	requestSize, responseSize int64
	responseSum, responseMax  float64
	first, last               int64
	distinct                  map[string]*distinct
}

// distinct collects the values of a column.
type distinct struct {
	seen   map[string]bool
	sample []any
}

const sampleSize = 10

func (d *distinct) add(v string) {
	if !d.seen[v] {
		d.seen[v] = true
		if len(d.sample) < sampleSize {
			d.sample = append(d.sample, v)
		}
	}
}

func newVectorGroup(s *eventStore, clientID int64, dims, distincts []string) *vectorGroup {
	g := &vectorGroup{
		s: s, clientID: clientID, dims: dims, requests: map[value]bool{}, success: map[value]bool{},
		first: math.MaxInt64, last: math.MinInt64, distinct: map[string]*distinct{},
	}
	for _, name := range distincts {
		g.distinct[name] = &distinct{seen: map[string]bool{}, sample: []any{}}
	}
	return g
}

func (g *vectorGroup) add(r hitRow) {
	h, p := r.hit(), r.shape()
	g.vectors++
	g.first, g.last = min(g.first, h.time), max(g.last, h.time)
	request := g.s.columns.hits["request_id"].one(r)
	blocked, known := g.requests[request]
	g.requests[request] = blocked || h.block == blockBlocked
	if h.block != blockBlocked && h.status < 400 {
		g.success[request] = true
	}
	if !known {
		// The request line, the headers and the body, as rawRequest writes them.
		g.requestSize += int64(len(p.method) + len(p.path) + len(p.domain) + len(h.payload.value) + 40)
		g.responseSize += int64(h.size)
		g.responseSum += float64(h.response)
		g.responseMax = max(g.responseMax, float64(h.response))
	}
	for name, d := range g.distinct {
		switch name {
		case "endpoint":
			d.add(p.method + " " + p.domain + p.path)
		case "context_param":
			if h.more != nil && h.more.extra.object("context_params") != nil {
				for _, m := range h.more.extra.object("context_params").members {
					d.add(m.name)
				}
			}
		default:
			for _, v := range vectorColumns[name].values(r) {
				d.add(v)
			}
		}
	}
}

func (g *vectorGroup) blocked() int {
	n := 0
	for _, blocked := range g.requests {
		if blocked {
			n++
		}
	}
	return n
}

func (g *vectorGroup) status() string {
	switch g.blocked() {
	case 0:
		return "Monitoring"
	case len(g.requests):
		return "Blocked"
	}
	return "Partially Blocked"
}

// metric is a number of the row as it is written.
func (g *vectorGroup) metric(name string) any {
	switch name {
	case "requests_count":
		return len(g.requests)
	case "attack_vectors_count":
		return g.vectors
	case "blocked_count":
		return g.blocked()
	case "success_count":
		return len(g.success)
	case "request_size_sum":
		return g.requestSize
	case "response_size_sum":
		return g.responseSize
	case "response_time_avg":
		return math.Round(100*g.responseSum/float64(len(g.requests))) / 100
	case "response_time_max":
		return g.responseMax
	}
	return len(g.distinct[metricNamed(name).distinct].seen)
}

// number is a column of the row as it is compared.
func (g *vectorGroup) number(name string) float64 {
	switch name {
	case "min_request_time":
		return float64(g.first)
	case "max_request_time":
		return float64(g.last)
	}
	switch n := g.metric(name).(type) {
	case int:
		return float64(n)
	case int64:
		return float64(n)
	case float64:
		return n
	}
	return 0
}

// distinctsOf lists the columns whose values must be collected to show, sort
// or compare the named columns.
func distinctsOf(names ...string) []string {
	var out []string
	for _, name := range names {
		if m := metricNamed(name); m != nil && m.distinct != "" {
			out = append(out, m.distinct)
		}
		if column, isDisplay := displayColumns[name]; isDisplay {
			out = append(out, column)
		}
		if name == "attack_name" {
			out = append(out, "attack_type")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// dimensionsOf returns the values of a vector for the dimensions; one that it
// has no value for is empty, of several the first counts.
func (r hitRow) dimensionsOf(names []string, zone *time.Location) []string {
	out := make([]string, len(names))
	for i, name := range names {
		if bucket := bucketNames[name]; bucket != nil {
			out[i] = bucket(time.Unix(r.hit().time, 0).In(zone))
			continue
		}
		if name == attackUnit {
			out[i] = strconv.Itoa(int(r.hit().attack))
			continue
		}
		if values := columnNamed(name).values(r); len(values) > 0 {
			out[i] = values[0]
		}
	}
	return out
}

// attackUnit is the dimension behind the preset none: the attacks of the
// older routes. It is part of the row id and of nothing else.
const attackUnit = "_attack"

func labelOf(name, v string) string {
	if label := attackLabels[v]; label != "" && name == "attack_type" {
		return label
	}
	return ""
}

func isoTime(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// vectorID leads back to the hit behind it.
func (s *eventStore) vectorID(index int32) string {
	n := s.mix(uint64(index) | vectorBit)
	return strconv.FormatUint(n, 16) + "-" + strconv.Itoa(int(s.hits[index].attack%89)+10)
}

const vectorBit = 1 << 41

func (s *eventStore) vectorPlace(id string) (int32, bool) {
	text, _, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		return 0, false
	}
	place := s.unmix(n)
	if place&vectorBit == 0 || place&^vectorBit >= uint64(len(s.hits)) {
		return 0, false
	}
	index := int32(place &^ vectorBit)
	return index, !s.hits[index].gone && s.vectorID(index) == id
}

// viewVector renders a hit as an attack vector.
func (s *eventStore) viewVector(r hitRow) *object {
	h, p := r.hit(), r.shape()
	o := obj(
		"vector_id", s.vectorID(r.index),
		"request_id", s.requestID(h),
		"type", p.kind,
		"host", p.domain,
		"normalized_path", p.path,
		"method", p.method,
		"point", r.pointText(),
		"payloads", []any{h.payload.value},
	)
	if strings.Contains(h.origin.ip, ":") {
		o.set("remote_addr6", h.origin.ip)
	} else {
		o.set("remote_addr4", h.origin.ip)
	}
	return o.merge(obj(
		"country", h.origin.country,
		"response_status_code", int64(h.status),
		"block_status", h.block.String(),
		"request_time", isoTime(h.time),
		"mark", r.mark(),
		"cwe_ids", anyList(vectorColumns["cwe_id"].values(r)),
		"cve_ids", anyList(vectorColumns["cve_id"].values(r)),
	))
}

// vectorsOfGroup lists the vectors behind a row, newest first. The cursor
// names the last one, so what arrives meanwhile neither repeats nor hides one.
func (c *Cloud) vectorsOfGroup(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	group, err := c.groupParam(q, clientID)
	if err != nil {
		return reply{}, err
	}
	limit, err := q.vectorLimit(100, 1000)
	if err != nil {
		return reply{}, err
	}
	after := int64(-1)
	if v := q.params.get("cursor"); v != nil && v != "" {
		text, _ := v.(string)
		parts, valid := decodeCursor(text, 1)
		if valid {
			after, valid = asInt(parts[0])
		}
		if !valid || after < 0 || after >= int64(len(c.events.hits)) {
			return reply{}, errRule("cursor", "invalid", "cursor is invalid")
		}
	}
	data, more, last := []any{}, false, int32(0)
	group.each(c.events, func(r hitRow) bool {
		if after >= 0 {
			mark := &c.events.hits[after]
			if compareTimed(r.hit().time, r.index, mark.time, int32(after)) >= 0 {
				return true
			}
		}
		if more = len(data) == limit; more {
			return false
		}
		data = append(data, c.events.viewVector(r))
		last = r.index
		return true
	})
	answer := obj("data", data, "cursor", "", "has_more", more)
	if more {
		answer.set("cursor", encodeCursor(last))
	}
	return bare(answer), nil
}

func (q *call) vectorLimit(usual, most int64) (int, error) {
	v := q.params.get("limit")
	if v == nil {
		return int(usual), nil
	}
	n, isInt := asInt(v)
	if !isInt || n < 1 || n > most {
		return 0, errRule("limit", "invalid", "limit must be between 1 and "+strconv.FormatInt(most, 10))
	}
	return int(n), nil
}

// vectorGroupID is what the opaque id of a row carries: which vectors it
// stands for.
type vectorGroupID struct {
	clientID     int64
	period       period
	where        any
	tree         *whereNode
	names, value []string
}

func (g *vectorGroupID) encode() string {
	return base64.StdEncoding.EncodeToString(appendJSON(nil, obj(
		"f", anyList(g.names), "v", anyList(g.value), "t", []any{g.period.from, g.period.to}, "z", g.period.zone.String(), "w", g.where,
	)))
}

func (c *Cloud) groupParam(q *call, clientID int64) (*vectorGroupID, error) {
	text, _ := q.params.get("group_id").(string)
	if text == "" {
		return nil, errRule("group_id", "required", "group_id is required")
	}
	refused := errRule("group_id", "invalid", "group_id is invalid")
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, refused
	}
	o, err := parseObject(data)
	if err != nil {
		return nil, refused
	}
	g := &vectorGroupID{clientID: clientID, names: stringsOf(o.get("f")), value: stringsOf(o.get("v")), where: o.get("w")}
	g.period = period{from: math.MinInt64, to: math.MaxInt64}
	if bounds := o.array("t"); len(bounds) == 2 {
		from, isInt1 := asInt(bounds[0])
		to, isInt2 := asInt(bounds[1])
		if !isInt1 || !isInt2 {
			return nil, refused
		}
		g.period.from, g.period.to = from, to
	}
	if g.period.zone, err = time.LoadLocation(o.str("z")); err != nil || len(g.names) != len(g.value) {
		return nil, refused
	}
	for _, name := range g.names {
		if bucketNames[name] == nil && name != attackUnit && columnNamed(name) == nil {
			return nil, refused
		}
	}
	g.tree, err = parseWhere(g.where)
	return g, err
}

// each yields the vectors of the group, newest first.
func (g *vectorGroupID) each(s *eventStore, yield func(hitRow) bool) {
	s.eachVector(g.clientID, g.period, g.tree, func(r hitRow) bool {
		if !slices.Equal(r.dimensionsOf(g.names, g.period.zone), g.value) {
			return true
		}
		return yield(r)
	})
}

// markVectors sets the verdict of vectors. It shows in the older routes too:
// a hit with the verdict fp is a false positive there.
func (c *Cloud) markVectors(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	verdict, isText := q.params.get("mark").(string)
	states := map[string]eventState{"tp": stateTruePositive, "fp": stateFalsePositive, "": stateNone}
	state, known := states[verdict]
	switch {
	case !q.params.has("mark"):
		return reply{}, errRule("mark", "required", "mark is required")
	case !isText || !known:
		return reply{}, errRule("mark", "invalid", "mark must be tp, fp or empty")
	}
	targets := 0
	for _, name := range []string{"group_id", "vector_ids", "request_ids"} {
		if q.params.get(name) != nil {
			targets++
		}
	}
	if targets != 1 {
		return reply{}, errRule("group_id", "exactly_one", "exactly one of group_id, vector_ids and request_ids is required")
	}
	found, err := c.markTargets(q, clientID)
	if err != nil {
		return reply{}, err
	}
	touched := map[int32]bool{}
	for _, index := range found {
		h := &c.events.hits[index]
		h.state = state
		touched[h.attack] = true
	}
	for index := range touched {
		a := &c.events.attacks[index]
		a.state = stateFalsePositive
		c.events.eachHit(a, func(_ int32, h *hit) bool {
			if h.state != stateFalsePositive {
				a.state = stateNone
			}
			return a.state == stateFalsePositive
		})
	}
	return bare(obj("marked_count", len(found))), nil
}

func (c *Cloud) markTargets(q *call, clientID int64) ([]int32, error) {
	var found []int32
	if q.params.get("group_id") != nil {
		group, err := c.groupParam(q, clientID)
		if err != nil {
			return nil, err
		}
		group.each(c.events, func(r hitRow) bool {
			found = append(found, r.index)
			return true
		})
		return found, nil
	}
	for _, id := range stringsOf(q.params.get("vector_ids")) {
		index, known := c.events.vectorPlace(id)
		if known && c.events.attacks[c.events.hits[index].attack].shape.clientID == clientID && !slices.Contains(found, index) {
			found = append(found, index)
		}
	}
	if ids := stringsOf(q.params.get("request_ids")); len(ids) > 0 {
		everything := period{from: math.MinInt64, to: math.MaxInt64}
		c.events.eachVector(clientID, everything, nil, func(r hitRow) bool {
			if slices.Contains(ids, c.events.requestID(r.hit())) {
				found = append(found, r.index)
			}
			return true
		})
	}
	return found, nil
}
