package wallarmtest

import (
	"net/http"
	"slices"
	"strings"
)

// ipExceptions is the list that only the fourth generation knows.
const ipExceptions = "api_abuse_exceptions"

func (c *Cloud) ipRuleRoutes() []route {
	return []route{
		{
			ids: "infrastructure:IP-4", name: "iplists.listRules", method: http.MethodGet, pattern: "/v4/ip_rules",
			handle: c.listIPRules,
		},
		{
			ids: "infrastructure:IP-5", name: "iplists.countRules", method: http.MethodGet, pattern: "/v4/ip_rules/counts",
			handle: c.countIPRules,
		},
		{
			ids: "infrastructure:IP-6", name: "iplists.createRule", method: http.MethodPost, pattern: "/v4/ip_rules",
			writes: true, access: accessAnalysts, handle: c.createIPRule,
		},
		{
			ids: "infrastructure:IP-7", name: "iplists.updateRule", method: http.MethodPut, pattern: "/v4/ip_rules/{id}",
			writes: true, access: accessAnalysts, handle: c.updateIPRule,
		},
		{
			ids: "infrastructure:IP-8", name: "iplists.deleteRule", method: http.MethodDelete, pattern: "/v4/ip_rules/{id}",
			writes: true, access: accessAnalysts, handle: c.deleteIPRule,
		},
		{
			ids: "infrastructure:IP-9", name: "iplists.deleteRules", method: http.MethodDelete, pattern: "/v4/ip_rules",
			writes: true, access: accessAnalysts, handle: c.deleteIPRules,
		},
		{
			ids: "infrastructure:IP-10", name: "iplists.createRules", method: http.MethodPost, pattern: "/v4/ip_rules/bulk",
			writes: true, access: accessAnalysts, handle: c.createIPRules,
		},
		{
			ids: "infrastructure:IP-11", name: "iplists.createRulesV5", method: http.MethodPost, pattern: "/v5/ip_rules",
			writes: true, access: accessAnalysts, handle: c.createIPRulesV5,
		},
		{
			ids: "infrastructure:IP-13", name: "iplists.history", method: http.MethodGet, pattern: "/v3/blacklist/history",
			handle: c.ipHistory,
		},
		{
			ids: "infrastructure:IP-15", name: "iplists.events", method: http.MethodGet, pattern: "/v3/blacklist/events",
			handle: c.ipEvents,
		},
	}
}

var (
	ipRuleLists = []string{"black", "white", "gray", ipExceptions}
	ipRuleKinds = []string{"ip_range", "country", "datacenter", "proxy_type"}
)

// errIPForbidden is the 403 of this family: an object where others have a
// text.
func errIPForbidden() error { return errInner(http.StatusForbidden, "Check permissions failed") }

var ipRuleColumns = objectColumns(`clientid:int id:int list:string author:string rule_type:string event_type:string country:string
	datacenter:string proxy_type:string poolid=pools:int triggered_detectors:string`)

// selectIPRules answers the objects that the filter selects, which must name
// the client.
func (c *Cloud) selectIPRules(q *call, writes bool) ([]*object, error) {
	filter, err := q.filterObject(true)
	if err != nil {
		return nil, err
	}
	clientID, isInt := asInt(filter.get("clientid"))
	switch {
	case !filter.has("clientid"):
		return nil, errField("filter[clientid]", "required")
	case !isInt:
		return nil, errField("filter[clientid]", "invalid", filter.get("clientid"))
	case !q.who.sees(clientID):
		return nil, errIPForbidden()
	}
	filter = filter.clone()
	var from, to int64 = openFrom, openTo
	reason, text, unique := filter.str("reason"), filter.str("query"), false
	if v, isInt := asInt(filter.get("time_start")); isInt {
		from = v
	}
	if v, isInt := asInt(filter.get("time_end")); isInt {
		to = v
	}
	unique, _ = asBool(filter.get("unique_subnet"))
	for _, name := range []string{"reason", "query", "time_start", "time_end", "unique_subnet"} {
		filter.del(name)
	}
	f, err := ipRuleColumns.compile(filter)
	if err != nil {
		return nil, err
	}
	var rows []*object
	if writes {
		rows = c.ipRules.seen(q, nil)
	} else {
		rows = c.ipRules.visible(q)
	}
	subnets := map[string]bool{}
	return slices.DeleteFunc(rows, func(o *object) bool {
		at := o.int("created_at")
		if expired(o, q.now) || at < from || at > to || !strings.Contains(o.str("reason"), reason) || !mentions(o, text) || !f.match(o) {
			return true
		}
		again := unique && subnets[o.str("subnet")]
		subnets[o.str("subnet")] = o.str("subnet") != ""
		return again
	}), nil
}

func (c *Cloud) listIPRules(q *call) (reply, error) {
	if q.params.get("offset") == nil {
		return reply{}, errField("offset", "required")
	}
	rows, err := c.selectIPRules(q, false)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{max: 300, min: 1, required: true})
	if err != nil {
		return reply{}, err
	}
	return okObjects(offsetPage(rows, limit, offset)), nil
}

func (c *Cloud) countIPRules(q *call) (reply, error) {
	rows, err := c.selectIPRules(q, false)
	if err != nil {
		return reply{}, err
	}
	counts := obj("white", 0, "black", 0, "gray", 0, ipExceptions, 0, "all", len(rows))
	for _, o := range rows {
		counts.set(o.str("list"), counts.int(o.str("list"))+1)
	}
	return ok(counts), nil
}

// readIPRule reads one new object of the fourth or fifth generation.
func readIPRule(params *object, list string, errs *fieldErrors) []ipEntry {
	e := ipEntry{list: list, kind: "ip_range", author: "client", eventType: "manual", triggerID: params.get("trigger_id")}
	if !slices.Contains(ipRuleLists, list) {
		if list == "" {
			errs.add("list", "required")
		} else {
			errs.add("list", "invalid", list)
		}
	}
	if v := params.get("rule_type"); v != nil {
		if e.kind, _ = v.(string); !slices.Contains(ipRuleKinds, e.kind) {
			errs.add("rule_type", "invalid", v)
		}
	}
	if v, isString := params.get("author").(string); isString {
		e.author = v
	}
	if v, isString := params.get("event_type").(string); isString {
		e.eventType = v
	}
	e.readTerms(params, "pools", "expired_at", errs)
	if e.kind == "ip_range" {
		if params.get("subnet") == nil {
			errs.add("subnet", "required")
		} else {
			e.readValues("subnet", []any{params.get("subnet")}, errs)
		}
	} else {
		e.readValues("source_values", params.get("source_values"), errs)
	}
	return []ipEntry{e}
}

// ipClient reads the client id of a write, with the 403 of this family.
func (q *call) ipClient(params *object, name string) (int64, error) {
	id, isInt := asInt(params.get(name))
	switch v := params.get(name); {
	case v == nil:
		return 0, errField(name, "required")
	case !isInt:
		return 0, errField(name, "invalid", v)
	case !q.who.sees(id):
		return 0, errIPForbidden()
	}
	return id, nil
}

func (c *Cloud) createIPRule(q *call) (reply, error) {
	clientID, err := q.ipClient(q.params, "clientid")
	if err != nil {
		return reply{}, err
	}
	var errs, inner fieldErrors
	force, isBool := asBool(q.params.get("force"))
	if !isBool {
		errs.add("force", "must be boolean", q.params.get("force"))
	}
	rule := q.params.object("ip_rule")
	if rule == nil {
		return reply{}, errField("ip_rule", "required")
	}
	entries := readIPRule(rule, rule.str("list"), &inner)
	errs.nest("ip_rule", &inner)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	stored, err := c.storeIPs(q, clientID, entries, force)
	if err != nil {
		return reply{}, err
	}
	return ok(stored[0]).withStatus(http.StatusCreated), nil
}

// createIPRules passes over what exists if it is told so, and refuses all
// otherwise.
func (c *Cloud) createIPRules(q *call) (reply, error) {
	ignore, _ := asBool(q.params.get("ignore_if_exists"))
	bulk := q.params.array("bulk")
	if len(bulk) == 0 {
		return reply{}, errField("bulk", "required")
	}
	byClient := map[int64][]ipEntry{}
	var clients []int64
	for _, v := range bulk {
		params, _ := v.(*object)
		clientID, err := q.ipClient(params, "clientid")
		if err != nil {
			return reply{}, err
		}
		var errs fieldErrors
		if params.get("event_type") == nil {
			errs.add("event_type", "required")
		}
		entries := readIPRule(params, params.str("list"), &errs)
		if err := errs.err(); err != nil {
			return reply{}, err
		}
		if byClient[clientID] == nil {
			clients = append(clients, clientID)
		}
		byClient[clientID] = append(byClient[clientID], entries...)
	}
	for _, clientID := range clients {
		entries := byClient[clientID]
		if ignore {
			index := c.ipIndex(clientID, q.now)
			entries = slices.DeleteFunc(entries, func(e ipEntry) bool {
				return !slices.ContainsFunc(e.values, func(value string) bool {
					_, there := index[ipKey{e.list, e.kind, value}]
					return !there
				})
			})
		}
		if _, err := c.storeIPs(q, clientID, entries, ignore); err != nil {
			return reply{}, err
		}
	}
	return reply{status: http.StatusCreated, doc: obj("status", http.StatusOK, "body", obj())}, nil
}

func (c *Cloud) createIPRulesV5(q *call) (reply, error) {
	clientID, err := q.ipClient(q.params, "client_id")
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	force, isBool := asBool(q.params.get("force"))
	if !isBool {
		errs.add("force", "must be boolean", q.params.get("force"))
	}
	rules := q.params.array("ip_rules")
	if len(rules) == 0 {
		errs.add("ip_rules", "required")
	}
	var entries []ipEntry
	for _, v := range rules {
		params, _ := v.(*object)
		entries = append(entries, readIPRule(params, q.params.str("list"), &errs)...)
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	stored, err := c.storeIPs(q, clientID, entries, force)
	if err != nil {
		return reply{}, err
	}
	return okObjects(stored).withStatus(http.StatusCreated), nil
}

// updateIPRule takes a form: ip_rule[expired_at] and so on.
func (c *Cloud) updateIPRule(q *call) (reply, error) {
	if v := q.params.get("clientid"); v != nil {
		if _, err := q.ipClient(q.params, "clientid"); err != nil {
			return reply{}, err
		}
	}
	o, err := c.ipRules.byPath(q, "id")
	if err != nil {
		return reply{}, err
	}
	params := q.params.object("ip_rule")
	changes := obj()
	var errs fieldErrors
	if v, sent := params.lookup("expired_at"); sent {
		at, isInt := asInt(v)
		if !isInt || at < 0 {
			errs.add("expired_at", "invalid", v)
		}
		changes.set("expired_at", at)
	}
	for _, name := range []string{"reason", "event_type"} {
		if v, sent := params.lookup(name); sent {
			text, _ := v.(string)
			changes.set(name, text)
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	changed := c.ipRules.update(o, changes)
	if changes.has("expired_at") {
		c.ipEvent(q, "change_time", changed)
	}
	q.changed("ip_rules", "update", o, changed)
	return ok(changed), nil
}

func (c *Cloud) deleteIPRule(q *call) (reply, error) {
	o, err := c.ipRules.byPath(q, "id")
	if err != nil {
		return reply{}, err
	}
	c.dropIP(q, o)
	return ok(obj()), nil
}

// deleteIPRules removes all that the filter selects: without an id, that is
// the whole of the client's lists.
func (c *Cloud) deleteIPRules(q *call) (reply, error) {
	rows, err := c.selectIPRules(q, true)
	if err != nil {
		return reply{}, err
	}
	for _, o := range rows {
		c.dropIP(q, o)
	}
	return ok(obj()), nil
}

// ipEvent keeps a change of the deny list for the old routes, which know
// single addresses only. The change feed has a record for each, the history
// one for each time that an address was put in.
func (c *Cloud) ipEvent(q *call, kind string, o *object) {
	address, isSingle := strings.CutSuffix(o.str("subnet"), "/32")
	if o.str("list") != "black" || !isSingle {
		return
	}
	for _, pool := range o.array("pools") {
		c.denyEvents = append(c.denyEvents, obj(
			"id", len(c.denyEvents)+1, "type", kind, "ip", address, "clientid", o.get("clientid"), "poolid", pool,
			"time", q.now.Unix(), "expire_at", o.get("expired_at"), "reason", o.get("reason"),
		))
	}
}

var denyColumns = objectColumns("clientid:int poolid:int ip:string type:string")

// denyPage is a page of the records between two times, and the place of the
// next one.
func (c *Cloud) denyPage(q *call, from, to string, wanted func(*object) bool) ([]*object, any, error) {
	filter, err := q.filterObject(true)
	if err != nil {
		return nil, nil, err
	}
	if err := q.checkOwner(filter, "clientid", true); err != nil {
		return nil, nil, err
	}
	filter = filter.clone()
	var first, last int64 = openFrom, openTo
	if v, isInt := asInt(filter.get(from)); isInt {
		first = v
	}
	if v, isInt := asInt(filter.get(to)); isInt {
		last = v
	}
	filter.del(from)
	filter.del(to)
	f, err := denyColumns.compile(filter)
	if err != nil {
		return nil, nil, err
	}
	limit, _, err := q.limits(paging{limit: 100, max: 1000, min: 1, lower: true})
	if err != nil {
		return nil, nil, err
	}
	after := int64(0)
	if v, _ := q.params.get("continuation").(string); v != "" {
		parts, valid := decodeCursor(v, 1)
		if !valid {
			return nil, nil, errField("continuation", "invalid", v)
		}
		after, _ = asInt(parts[0])
	}
	page := []*object{}
	for _, o := range c.denyEvents[min(after, int64(len(c.denyEvents))):] {
		at := o.int("time")
		if at < first || at > last || !wanted(o) || !f.match(o) {
			continue
		}
		if len(page) == limit {
			return page, encodeCursor(page[limit-1].get("id")), nil
		}
		page = append(page, o)
	}
	return page, nil, nil
}

func (c *Cloud) ipHistory(q *call) (reply, error) {
	page, next, err := c.denyPage(q, "start_time", "end_time", func(o *object) bool { return o.str("type") == "block" })
	for i, o := range page {
		page[i] = o.clone()
		page[i].del("type")
	}
	return continuation(page, next), err
}

func (c *Cloud) ipEvents(q *call) (reply, error) {
	page, next, err := c.denyPage(q, "time_from", "time_to", func(*object) bool { return true })
	if always, _ := asBool(q.params.get("always_continuation")); always && next == nil {
		next = encodeCursor(len(c.denyEvents))
	}
	return continuation(page, next), err
}

// sampleIPs are the lists of the sample data.
var sampleIPs = []ipEntry{
	{list: "black", kind: "ip_range", values: []string{"203.0.113.66/32"}, reason: "credential stuffing", expiredAt: 33223139044},
	{list: "black", kind: "ip_range", values: []string{"198.51.100.0/26"}, reason: "scanner", expiredAt: 33223139044},
	{list: "black", kind: "proxy_type", values: []string{"TOR", "MIP"}, reason: "no anonymous visitors", expiredAt: 33223139044},
	{list: "white", kind: "ip_range", values: []string{"192.0.2.0/28"}, reason: "office", expiredAt: 33223139044},
	{list: "gray", kind: "country", values: []string{"AQ", "BV"}, reason: "no customers there", expiredAt: 33223139044},
}

// seedInfrastructure fills the default client with applications, a node and
// IP lists for the sample data. The state lock is not held.
func (c *Cloud) seedInfrastructure() {
	c.mu.Lock()
	defer c.mu.Unlock()
	who := &identity{cloud: c, userID: 70001, clientID: DefaultClientID}
	q := &call{cloud: c, who: who, now: c.Now(), params: obj()}
	for _, e := range sampleIPs {
		e.pools, e.author, e.eventType = []any{int64(0)}, "client", "manual"
		c.ipEvent(q, "block", c.ipRules.insert(e.object(DefaultClientID, q)))
	}
	for id, name := range map[int64]string{1: "Shop", 12: "Partner API"} {
		c.putApplication(obj("id", id, "clientid", DefaultClientID, "name", name, "deleted", false))
	}
	c.nodes.insert(obj(
		"type", "cloud_node", "id", c.nodes.nextID(), "uuid", sampleNode, "ip", nil, "hostname", "edge-1",
		"last_activity", q.now.Unix(), "enabled", true, "clientid", DefaultClientID, "last_analytic", q.now.Unix(),
		"create_time", q.now.Unix()-30*86400, "create_from", "192.0.2.21", "protondb_version", 412, "lom_version", 77,
		"protondb_updated_at", q.now.Unix()-3600, "lom_updated_at", q.now.Unix()-3600,
		"node_env_params", obj("packages", obj("wallarm-node", obj("current", "6.1.0", "latest", nil))), "active", true,
		"instance_count", 1, "active_instance_count", 1, "token", c.hex(64), "requests_amount", 120044, "partner_mode", false,
	))
}
