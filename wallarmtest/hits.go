package wallarmtest

import (
	"net/http"
	"strings"
)

func (c *Cloud) hitRoutes() []route {
	return []route{
		{
			ids: "attacks:24", name: "hits.list", method: http.MethodPost, pattern: "/v1/objects/hit",
			handle: c.listHits,
		},
		{
			ids: "attacks:25", name: "hits.details", method: http.MethodPost, pattern: "/v1/objects/hit/details",
			handle: c.hitDetails,
		},
		{
			ids: "attacks:26", name: "hits.get", method: http.MethodGet, pattern: "/v2/hit/details",
			handle: c.getHit,
		},
		{
			ids: "attacks:27", name: "hits.raw", method: http.MethodPost, pattern: "/v1/objects/hit/raw",
			handle: c.rawHit,
		},
		{
			ids: "attacks:29", name: "hits.markFalse", method: http.MethodPost, pattern: "/v1/objects/hit/mark_false",
			writes: true, access: accessAnalysts, handle: c.markFalse,
		},
	}
}

func (s *eventStore) hitOrder() map[string]func(int32) value {
	on := func(get func(h *hit) value) func(int32) value {
		return func(i int32) value { return get(&s.hits[i]) }
	}
	return map[string]func(int32) value{
		"id":             func(i int32) value { return intOf(int64(i)) },
		"clientid":       func(i int32) value { return intOf(s.attacks[s.hits[i].attack].shape.clientID) },
		"time":           on(func(h *hit) value { return intOf(h.time) }),
		"attackid":       on(func(h *hit) value { return intOf(int64(h.attack)) }),
		"remote_country": on(func(h *hit) value { return stringOrNull(h.origin.country) }),
		"probability":    on(func(*hit) value { return value{} }),
		"vector":         on(func(h *hit) value { return stringOf(h.payload.value) }),
		"statuscode":     on(func(h *hit) value { return intOf(int64(h.status)) }),
		"size":           on(func(h *hit) value { return intOf(int64(h.size)) }),
		"ip":             on(func(h *hit) value { return stringOf(h.origin.ip) }),
	}
}

func (c *Cloud) listHits(q *call) (reply, error) {
	hq, err := c.hitQuery(q)
	if err != nil {
		return reply{}, err
	}
	ordering, err := orderBy(q, c.events.hitOrder(), "id", false)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 100, max: 1000})
	if err != nil {
		return reply{}, err
	}
	indexes := hq.page(ordering, limit, offset)
	views := make([]jsonAppender, len(indexes))
	for i, index := range indexes {
		views[i] = c.events.viewHit(index)
	}
	return ok(views), nil
}

// page returns one page of the hits that match. Newest first is read off the
// index; the default order is the order in which the hits are stored.
func (hq *hitQuery) page(o ordering[int32], limit, offset int) []int32 {
	page := pageOf{desc: o.desc, limit: limit, offset: offset}
	direct := hq.hits.only("id") != nil || hq.hits.only("attackid") != nil
	if !direct && o.name == "id" && !o.desc {
		for index := range int32(len(hq.s.hits)) {
			if page.full() {
				break
			}
			if hq.match(index) {
				page.add(o.key(index), index)
			}
		}
		return page.indexes()
	}
	indexed := !direct && o.name == "time" && o.desc && len(hq.clients) == 1
	hq.each(func(index int32) bool {
		page.add(o.key(index), index)
		return !indexed || !page.full()
	})
	return page.indexes()
}

// namedHits returns the hits of a route that wants filter.id.
func (c *Cloud) namedHits(q *call) ([]int32, error) {
	hq, err := c.hitQuery(q)
	if err != nil {
		return nil, err
	}
	if hq.hits.only("id") == nil {
		return nil, errField("filter.id", "required")
	}
	var found []int32
	hq.each(func(index int32) bool {
		found = append(found, index)
		return true
	})
	return found, nil
}

func (c *Cloud) hitDetails(q *call) (reply, error) {
	found, err := c.namedHits(q)
	if err != nil {
		return reply{}, err
	}
	list := []any{}
	for _, index := range found {
		v := c.events.viewHit(index)
		list = append(list, obj(
			"id", []any{v.id.Index, v.id.Doc},
			"raw", obj(
				"method", v.method(),
				"uri", v.uri(),
				"proto", "HTTP/1.1",
				"headers", v.rawHeaders(strings.ToLower),
			),
		))
	}
	return ok(list), nil
}

// getHit answers the request of one hit in the older form: header names in
// upper case and ports as strings.
func (c *Cloud) getHit(q *call) (reply, error) {
	id, _ := q.params.get("id").(string)
	if id == "" {
		return reply{}, errField("id", "required")
	}
	ref, found := c.events.find(id)
	if !found || !ref.isHit {
		return reply{}, errNotFound()
	}
	v := c.events.viewHit(ref.index)
	if !q.who.sees(v.shape.clientID) {
		return reply{}, errNotFound()
	}
	return ok(obj(
		"remote_addr", v.hit.origin.ip,
		"remote_port", string(appendJSON(nil, int64(v.hit.port))),
		"server_addr", "192.0.2.10",
		"server_port", "443",
		"method", v.method(),
		"proto", "HTTP/1.1",
		"uri", v.uri(),
		"headers", v.rawHeaders(strings.ToUpper),
		"body", v.requestBody(),
		"node_uuid", sampleNode,
	)), nil
}

func (c *Cloud) rawHit(q *call) (reply, error) {
	found, err := c.namedHits(q)
	if err != nil {
		return reply{}, err
	}
	if len(found) == 0 {
		return reply{}, errNotFound()
	}
	var data []byte
	for _, index := range found {
		data = append(data, c.events.viewHit(index).rawRequest()...)
	}
	return file("application/octet-stream", data), nil
}

// markFalse marks hits as false positives and makes the hidden rule that
// keeps similar requests from being reported. An attack is marked when all
// of its hits are.
func (c *Cloud) markFalse(q *call) (reply, error) {
	found, err := c.namedHits(q)
	if err != nil {
		return reply{}, err
	}
	for _, index := range found {
		h := &c.events.hits[index]
		if h.state == stateFalsePositive {
			continue
		}
		h.state = stateFalsePositive
		a := &c.events.attacks[h.attack]
		all := true
		c.events.eachHit(a, func(_ int32, other *hit) bool {
			all = other.state == stateFalsePositive
			return all
		})
		if all {
			a.state = stateFalsePositive
		}
		c.hiddenRule(a.shape)
	}
	return ok(obj()), nil
}

// hiddenRule suppresses detections like the one marked. It is a system rule,
// so no list of the user's own rules shows it.
func (c *Cloud) hiddenRule(p *shape) {
	action := c.findOrCreateAction(p.clientID, hitConditions(p))
	c.storeRule(obj(
		"type", "disable_attack_type",
		"attack_type", p.kind,
		"point", p.point,
		"variativity_disabled", true,
	), p.clientID, action, nil, true)
}

func (v *hitView) method() string {
	if v.shape.method == "" {
		return http.MethodGet
	}
	return v.shape.method
}

func (v *hitView) uri() string {
	if strings.HasPrefix(v.shape.path, "/") {
		return v.shape.path
	}
	return "/"
}

func (v *hitView) requestBody() string {
	if v.method() == http.MethodGet {
		return ""
	}
	return v.hit.payload.value
}

// rawRequest is the request as bytes.
func (v *hitView) rawRequest() []byte {
	return []byte(v.method() + " " + v.uri() + " HTTP/1.1\r\nHost: " + v.shape.domain +
		"\r\nUser-Agent: curl/8.5\r\nX-Payload: " + strings.NewReplacer("\r", "", "\n", "").Replace(v.hit.payload.value) +
		"\r\n\r\n" + v.requestBody())
}
