package wallarmtest

// attackView is an attack as it stood when it was read. It renders itself
// when the answer is encoded, after the state lock has been released.
type attackView struct {
	id       EventID
	attack   attack
	all      tally
	filtered *tally // nil without conditions on hits
	v2       bool
}

func (s *eventStore) viewAttack(index int32, f *filter[hitRow], v2 bool) *attackView {
	v := &attackView{id: s.attackID(index), attack: s.attacks[index], v2: v2}
	v.all = s.aggregate(&v.attack, nil)
	if f != nil && len(f.conditions) > 0 {
		t := s.aggregate(&v.attack, f)
		v.filtered = &t
	}
	return v
}

func (v *attackView) appendJSON(dst []byte) []byte { return appendObject(dst, v.object()) }

const topSize = 10

func (v *attackView) object() *object {
	a, p := &v.attack, v.attack.shape
	filtered := &v.all
	if v.filtered != nil {
		filtered = v.filtered
	}
	var experimental any
	if v.all.experimental {
		experimental = true
	}
	o := obj(
		"id", []any{v.id.Index, v.id.Doc},
		"attackid", v.id.String(),
		"clientid", p.clientID,
		"domain", nullable(p.domain),
		"poolid", p.poolID,
		"method", nullable(p.method),
		"parameter", p.parameter,
		"path", p.path,
		"type", p.kind,
		"first_time", a.first,
		"last_time", a.last,
		"hits", a.hits,
		"hits_count_by_filter", filtered.hits,
		"ip_count", len(v.all.ips),
		"ip_count_by_filter", len(filtered.ips),
		"ip_top", topIPs(v.all.ips),
		"country_count", len(v.all.countries),
		"country_top", topCountries(v.all.countries),
		"statuscodes", keys(v.all.statuses),
		"statuscodes_by_filter", keys(filtered.statuses),
		"vulnid", nullableInt(a.vulnID),
		"threat", p.threat,
		"target", p.target,
		"experimental", experimental,
		"recheck_status", "unrecheckable",
		"recheck_time", nil,
		"vectors_count", len(v.all.payloads),
		"vectors_count_by_filter", len(filtered.payloads),
		"block_status", a.blockStatus(),
		"state", a.state.json(),
		"anomality", nil,
		"datacenter", keys(v.all.datacenters),
		"tor", torName(v.all.tor),
		"sid", []any{},
		"point", p.point,
		"vulns", []any{},
	)
	if v.v2 {
		o.merge(obj(
			"pools", []any{obj("id", p.poolID, "clientid", p.clientID, "deleted", false, "name", poolName(p.poolID))},
			"method_counts", []any{obj("method", p.method, "count", v.all.hits)},
			"response_status_counts", statusCounts(v.all.statuses),
			"regex", []any{},
		))
	}
	return o.merge(a.extra)
}

func poolName(id int64) string {
	if id == -1 {
		return "default"
	}
	return "Application " + string(appendJSON(nil, id))
}

func torName(tor bool) string {
	if tor {
		return "tor"
	}
	return "none"
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func nullableInt(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

// json is a comparable value as JSON.
func (v value) json() any {
	switch v.kind {
	case boolValue:
		return v.n == 1
	case intValue:
		return v.n
	case stringValue:
		return v.s
	}
	return nil
}

func keys(list []counted) []any {
	out := make([]any, len(list))
	for i, e := range list {
		out[i] = e.key.json()
	}
	return out
}

func topIPs(list []counted) []any {
	out := []any{}
	for _, e := range list[:min(topSize, len(list))] {
		out = append(out, obj("ip", e.key.s, "count", e.count, "country", nullable(e.note)))
	}
	return out
}

func topCountries(list []counted) []any {
	out := []any{}
	for _, e := range list[:min(topSize, len(list))] {
		out = append(out, obj("country", e.key.json(), "count", e.count))
	}
	return out
}

func statusCounts(list []counted) []any {
	out := []any{}
	for _, e := range list {
		out = append(out, obj("response_status", string(appendJSON(nil, e.key.n)), "count", e.count))
	}
	return out
}

// hitView is a hit as it stood when it was read.
type hitView struct {
	id, attackID EventID
	requestID    string
	hit          hit
	shape        *shape
}

func (s *eventStore) viewHit(index int32) *hitView {
	h := s.hits[index]
	return &hitView{
		id: s.hitID(index), attackID: s.attackID(h.attack), requestID: s.requestID(&h),
		hit: h, shape: s.attacks[h.attack].shape,
	}
}

func (v *hitView) appendJSON(dst []byte) []byte { return appendObject(dst, v.object()) }

const sampleNode = "0b8f2d1e-1111-4222-8333-444455556666"

func (v *hitView) object() *object {
	h, p := &v.hit, v.shape
	o := obj(
		"id", []any{v.id.Index, v.id.Doc},
		"type", p.kind,
		"ip", h.origin.ip,
		"size", int64(h.size),
		"statuscode", int64(h.status),
		"time", h.time,
		"value", h.payload.value,
		"impression", nil,
		"stamps", h.payload.stamps,
		"stamps_hash", h.payload.stampsHash,
		"regex", h.payload.regex,
		"response_time", int64(h.response),
		"remote_country", nullable(h.origin.country),
		"point", p.point,
		"remote_port", int64(h.port),
		"poolid", p.poolID,
		"ip_blocked", h.flags&flagIPBlocked != 0,
		"attackid", []any{v.attackID.Index, v.attackID.Doc},
		"block_status", h.block.String(),
		"request_id", v.requestID,
		"datacenter", h.origin.datacenter,
		"proxy_type", nullable(h.origin.proxyType),
		"tor", h.origin.tor,
		"state", h.state.json(),
		"known_attack", h.payload.known,
		"known_false", nil,
		"protocol", p.protocol,
		"auth_protocol", p.authProtocol,
		"endpoint_id", nil,
		"path", p.path,
		"domain", p.domain,
		"node_uuid", []any{sampleNode},
		"compromised_logins", []any{},
		"ebpf", false,
		"aasm_event", h.flags&flagAASM != 0,
		"experimental", h.flags&flagExperimental != 0,
		"wallarm_scanner", h.flags&flagScanner != 0,
		"api_spec_violation", nil,
		"api_spec_id", nil,
	)
	if h.more != nil {
		o.merge(h.more.extra)
	}
	return o
}

// rawHeaders are the headers of the request that the hit was found in. The
// case of their names differs between the routes.
func (v *hitView) rawHeaders(casing func(string) string) *object {
	return obj(
		casing("Host"), []any{v.shape.domain},
		casing("User-Agent"), []any{"curl/8.5"},
	)
}
