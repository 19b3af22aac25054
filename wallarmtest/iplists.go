package wallarmtest

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

func (c *Cloud) ipListRoutes() []route {
	return []route{
		{
			ids: "infrastructure:IP-1", name: "iplists.list", method: http.MethodGet,
			pattern: "/v1/blocklist/clients/{client_id}/groups", handle: c.listIPGroups,
		},
		{
			ids: "infrastructure:IP-2", name: "iplists.add", method: http.MethodPost,
			pattern: "/v1/blocklist/clients/{client_id}/access_rules", writes: true, access: accessAnalysts, handle: c.addAccessRules,
		},
		{
			ids: "infrastructure:IP-3", name: "iplists.remove", method: http.MethodDelete,
			pattern: "/v1/blocklist/clients/{client_id}/groups", writes: true, access: accessAnalysts, handle: c.removeIPGroups,
		},
	}
}

func (c *Cloud) initIPLists() {
	c.ipRules = c.newTable("ip_rules", "clientid", 4455001)
	c.keep("deny_events", func() any { return c.denyEvents }, func(v any) {
		c.denyEvents = nil
		for _, e := range asList(v) {
			if o, isObject := e.(*object); isObject {
				c.denyEvents = append(c.denyEvents, o)
			}
		}
	})
}

// groupOffset keeps the ids of groups apart from those of objects: whoever
// mixes the generations finds nothing.
const groupOffset int64 = 600_000_000

// The words of the first generation for what the fourth, whose objects are
// the state, calls otherwise.
var (
	groupLists = map[string]string{"block": "black", "allow": "white", "gray": "gray"}
	groupKinds = map[string]string{
		"subnet": "ip_range", "location": "country", "datacenter": "datacenter", "proxy_type": "proxy_type",
	}
)

// wordOf is the key of a value.
func wordOf(words map[string]string, value string) string {
	for word, v := range words {
		if v == value {
			return word
		}
	}
	return value
}

func expired(o *object, now time.Time) bool {
	at := o.int("expired_at")
	return at != 0 && at <= now.Unix()
}

// ipValues are the values of an object.
func ipValues(o *object) []string {
	if o.str("rule_type") == "ip_range" {
		return []string{o.str("subnet")}
	}
	return stringsOf(o.get("source_values"))
}

// groupView is an object as the first generation shows it.
func groupView(o *object) *object {
	return obj(
		"id", o.int("id")+groupOffset, "client_id", o.get("clientid"), "rule_type", wordOf(groupKinds, o.str("rule_type")),
		"list", wordOf(groupLists, o.str("list")), "created_at", o.get("created_at"), "expired_at", o.get("expired_at"),
		"application_ids", o.get("pools"), "reason", o.get("reason"), "author_user_id", o.get("author_user_id"),
		"values", ipValues(o), "status", "enabled",
	)
}

// listIPGroups reads the filters that clients send; the list of exceptions from
// API abuse prevention does not exist here.
func (c *Cloud) listIPGroups(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	filter, err := q.filterObject(false)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	var kinds []string
	list, text := "", ""
	for _, m := range filter.members {
		switch m.name {
		case "list":
			word, _ := m.value.(string)
			if list = groupLists[word]; list == "" {
				errs.add("filter.list", "invalid", m.value)
			}
		case "rule_type":
			for _, word := range stringsOf(m.value) {
				if groupKinds[word] == "" {
					errs.add("filter.rule_type", "invalid", m.value)
				}
				kinds = append(kinds, groupKinds[word])
			}
		case "query":
			text, _ = m.value.(string)
		default:
			errs.add("filter."+m.name, "invalid", m.value)
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 50, max: 1000, min: 1, lower: true})
	if err != nil {
		return reply{}, err
	}
	rows := slices.DeleteFunc(c.ipRules.visible(q), func(o *object) bool {
		return o.int("clientid") != clientID || expired(o, q.now) || list != "" && o.str("list") != list ||
			o.str("list") == ipExceptions || len(kinds) > 0 && !slices.Contains(kinds, o.str("rule_type")) || !mentions(o, text)
	})
	page := offsetPage(rows, limit, offset)
	views := make([]*object, len(page))
	for i, o := range page {
		views[i] = groupView(o)
	}
	return objectsOnly(views), nil
}

// mentions tells whether a value or the reason of an object holds a text.
func mentions(o *object, text string) bool {
	return text == "" || strings.Contains(o.str("reason"), text) ||
		slices.ContainsFunc(ipValues(o), func(value string) bool { return strings.Contains(value, text) })
}

// normalSubnet is an address or subnet as the service stores it: with the
// length of its prefix, and nothing behind that.
func normalSubnet(text string) (string, bool) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return "", false
		}
		prefix = netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen())
	}
	return prefix.Masked().String(), true
}

// normalIPValue is normalSubnet for every kind of value.
func normalIPValue(kind, text string) (string, bool) {
	if kind == "ip_range" {
		return normalSubnet(text)
	}
	return text, text != "" && (kind != "country" || len(text) == 2 && text == strings.ToUpper(text))
}

// ipEntry is something to put into a list.
type ipEntry struct {
	list, kind, reason string
	values             []string // one for an ip_range
	pools              []any
	expiredAt          int64
	eventType, author  string
	triggerID          any
}

// ipTerms reads what all writes of lists have in common. The members are
// named by the caller, since the generations spell them otherwise.
func (e *ipEntry) readTerms(params *object, pools, expiry string, errs *fieldErrors) {
	e.reason, _ = params.get("reason").(string)
	v, sent := params.lookup(pools)
	e.pools, _ = v.([]any)
	if !sent || v == nil {
		errs.add(pools, "required")
	} else if len(e.pools) == 0 {
		errs.add(pools, "must be an array", v)
	}
	for _, id := range e.pools {
		if n, isInt := asInt(id); !isInt || n < defaultApplication {
			errs.add(pools, "invalid", id)
		}
	}
	at, isInt := asInt(params.get(expiry))
	switch v := params.get(expiry); {
	case v == nil:
		errs.add(expiry, "required")
	case !isInt || at < 0:
		errs.add(expiry, "invalid", v)
	}
	e.expiredAt = at
}

// readValues checks and normalises values of the entry's kind.
func (e *ipEntry) readValues(field string, v any, errs *fieldErrors) {
	list, isList := v.([]any)
	if !isList || len(list) == 0 {
		errs.add(field, "must be an array", v)
	}
	for _, element := range list {
		text, _ := element.(string)
		value, valid := normalIPValue(e.kind, text)
		if !valid {
			errs.add(field, "invalid", element)
		} else if !slices.Contains(e.values, value) {
			e.values = append(e.values, value)
		}
	}
}

// addAccessRules adds many values. The answer has no ids.
func (c *Cloud) addAccessRules(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	word, _ := q.params.get("list").(string)
	common := ipEntry{list: groupLists[word], author: "client", eventType: "manual"}
	if common.list == "" {
		errs.add("list", "invalid", q.params.get("list"))
	}
	common.readTerms(q.params, "application_ids", "expired_at", &errs)
	force, _ := q.params.get("force").(bool)
	var entries []ipEntry
	rules := q.params.array("rules")
	if len(rules) == 0 {
		errs.add("rules", "required")
	}
	for _, v := range rules {
		rule, _ := v.(*object)
		entry := common
		entry.kind = groupKinds[rule.str("rules_type")]
		if entry.kind == "" {
			errs.add("rules_type", "invalid", rule.get("rules_type"))
			continue
		}
		entry.readValues("values", rule.get("values"), &errs)
		entries = append(entries, entry.split()...)
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	if _, err := c.storeIPs(q, clientID, entries, force); err != nil {
		return reply{}, err
	}
	return statusOnly(), nil
}

// split makes an entry of each subnet; the values of other kinds stay one.
func (e ipEntry) split() []ipEntry {
	if e.kind != "ip_range" {
		return []ipEntry{e}
	}
	out := make([]ipEntry, len(e.values))
	for i := range e.values {
		out[i] = e
		out[i].values = e.values[i : i+1]
	}
	return out
}

// ipKey is what makes two values the same.
type ipKey struct{ list, kind, value string }

// ipIndex finds the objects of a client by their values.
func (c *Cloud) ipIndex(clientID int64, now time.Time) map[ipKey]int64 {
	index := make(map[ipKey]int64, len(c.ipRules.order))
	for _, id := range c.ipRules.order {
		o := c.ipRules.rows[id]
		if o.int("clientid") != clientID || expired(o, now) {
			continue
		}
		for _, value := range ipValues(o) {
			index[ipKey{o.str("list"), o.str("rule_type"), value}] = id
		}
	}
	return index
}

// storeIPs puts entries into lists, all or none of them. A value that is in
// the list already is a conflict, unless force overwrites it: a subnet keeps
// its id, a value of another kind leaves the object that had it.
func (c *Cloud) storeIPs(q *call, clientID int64, entries []ipEntry, force bool) ([]*object, error) {
	index := c.ipIndex(clientID, q.now)
	if !force {
		for _, e := range entries {
			for _, value := range e.values {
				if _, there := index[ipKey{e.list, e.kind, value}]; there {
					return nil, errText(http.StatusConflict, "Conflict")
				}
			}
		}
	}
	out := make([]*object, 0, len(entries))
	for _, e := range entries {
		fields := e.object(clientID, q)
		var stored *object
		if id, there := index[ipKey{e.list, e.kind, e.values[0]}]; there && e.kind == "ip_range" {
			before := c.ipRules.rows[id]
			fields.del("created_at")
			stored = c.ipRules.update(before, fields)
			c.ipEvent(q, "change_time", stored)
			q.changed("ip_rules", "update", before, stored)
		} else {
			for _, value := range e.values {
				c.dropIPValue(q, index[ipKey{e.list, e.kind, value}], value)
			}
			stored = c.ipRules.insert(fields)
			c.ipEvent(q, "block", stored)
			q.changed("ip_rules", "create", nil, stored)
		}
		for _, value := range e.values {
			index[ipKey{e.list, e.kind, value}] = stored.int("id")
		}
		out = append(out, stored)
	}
	return out, nil
}

func (e ipEntry) object(clientID int64, q *call) *object {
	o := obj(
		"clientid", clientID, "list", e.list, "rule_type", e.kind, "event_type", e.eventType, "author", e.author,
		"author_user_id", q.who.userID, "author_user_name", nil, "author_trigger_id", e.triggerID, "subnet", nil,
		"source_values", []any{}, "country", nil, "datacenter", nil, "proxy_type", nil, "pools", e.pools,
		"created_at", q.now.Unix(), "expired_at", e.expiredAt, "reason", e.reason,
	)
	if user, found := q.cloud.users.get(q.who.userID); found {
		o.set("author_user_name", user.get("realname"))
	}
	if e.kind == "ip_range" {
		o.set("subnet", e.values[0]).set("datacenter", "unknown")
	} else {
		o.set("source_values", anyList(e.values))
	}
	return o
}

// dropIPValue takes one value out of an object, and the object away when it
// was the last.
func (c *Cloud) dropIPValue(q *call, id int64, value string) {
	o, found := c.ipRules.get(id)
	if !found {
		return
	}
	rest := slices.DeleteFunc(ipValues(o), func(v string) bool { return v == value })
	if len(rest) == 0 {
		c.dropIP(q, o)
		return
	}
	changed := c.ipRules.update(o, obj("source_values", anyList(rest)))
	q.changed("ip_rules", "update", o, changed)
}

func (c *Cloud) dropIP(q *call, o *object) {
	c.ipRules.remove(o.int("id"))
	c.ipEvent(q, "unblock", o)
	q.changed("ip_rules", "delete", o, nil)
}

// removeIPGroups removes whole groups. Ids that do not exist, or are of
// another kind than the one said, are passed over.
func (c *Cloud) removeIPGroups(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	rules := q.params.array("rules")
	if len(rules) == 0 {
		return reply{}, errField("rules", "required")
	}
	var errs fieldErrors
	var gone []*object
	for _, v := range rules {
		rule, _ := v.(*object)
		kind := groupKinds[rule.str("rule_type")]
		if kind == "" {
			errs.add("rule_type", "invalid", rule.get("rule_type"))
		}
		for _, v := range rule.array("ids") {
			id, isInt := asInt(v)
			if !isInt {
				errs.add("ids", "invalid", v)
			}
			o, found := c.ipRules.get(id - groupOffset)
			if found && o.int("clientid") == clientID && o.str("rule_type") == kind && o.str("list") != ipExceptions {
				gone = append(gone, o)
			}
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	for _, o := range gone {
		c.dropIP(q, o)
	}
	return statusOnly(), nil
}
