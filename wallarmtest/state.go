package wallarmtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Put stores an object as it is answered, without the checks that the API
// would make: {"id": 7, ...}. Without an id it gets one. It replaces an object
// of the same id. The kinds are those of Kinds; "attacks" and "hits" take
// the objects that the lists answer, with any members. It returns the id; for
// events that is "index:doc".
func (c *Cloud) Put(kind, object string) (string, error) {
	o, err := parseObject([]byte(object))
	if err != nil {
		return "", fmt.Errorf("wallarmtest: put %s: %w", kind, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch kind {
	case "attacks":
		return c.putAttack(o).String(), nil
	case "hits":
		id, err := c.putHit(o)
		return id.String(), err
	}
	t, err := c.table(kind)
	if err != nil {
		return "", err
	}
	if t.owner != "" && t.owner != "id" && !o.has(t.owner) {
		o.set(t.owner, DefaultClientID)
	}
	if kind == "actions" {
		c.actionHash[actionKey{o.int("clientid"), conditionsHash(o.array("conditions"))}] = t.insert(o).int("id")
		return string(appendJSON(nil, t.lastID)), nil
	}
	return string(appendJSON(nil, t.insert(o).get("id"))), nil
}

// Kinds lists the kinds of objects that Put and Objects know.
func (c *Cloud) Kinds() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Sorted(slices.Values(append(c.kinds(), "attacks", "hits")))
}

// Objects returns all objects of a kind, of all clients, as JSON, by
// ascending id or age. It is nil for a kind that does not exist.
func (c *Cloud) Objects(kind string) []json.RawMessage {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []json.RawMessage
	switch kind {
	case "attacks":
		for i := range c.events.attacks {
			if !c.events.attacks[i].gone {
				out = append(out, appendJSON(nil, c.events.viewAttack(int32(i), nil, false)))
			}
		}
		return out
	case "hits":
		for i := range c.events.hits {
			if !c.events.hits[i].gone {
				out = append(out, appendJSON(nil, c.events.viewHit(int32(i))))
			}
		}
		return out
	}
	t, err := c.table(kind)
	if err != nil {
		return nil
	}
	for _, o := range t.all() {
		out = append(out, appendJSON(nil, o))
	}
	return out
}

// Object returns one object as JSON, or nil when it is not there.
func (c *Cloud) Object(kind string, id int64) json.RawMessage {
	c.mu.RLock()
	defer c.mu.RUnlock()
	t, err := c.table(kind)
	if err != nil {
		return nil
	}
	o, found := t.get(id)
	if !found {
		return nil
	}
	return appendJSON(nil, o)
}

// Remove removes an object of a kind, whatever the API would say to it. It
// tells whether the object was there.
func (c *Cloud) Remove(kind string, id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.table(kind)
	if err != nil {
		return false
	}
	_, found := t.get(id)
	t.remove(id)
	return found
}

// Rules returns the rules of all clients as JSON, system rules included.
func (c *Cloud) Rules() []json.RawMessage { return c.Objects("rules") }

// AddRule makes a rule from the body of a create call, with the checks and
// the defaults of the API, and returns its id. Without a clientid it belongs
// to the default client.
func (c *Cloud) AddRule(body string) (int64, error) {
	params, err := parseObject([]byte(body))
	if err != nil {
		return 0, fmt.Errorf("wallarmtest: add rule: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	kind := params.str("type")
	if _, known := ruleTypes[kind]; !known {
		return 0, fmt.Errorf("wallarmtest: add rule: no rule type %q", kind)
	}
	clientID := cmp.Or(params.int("clientid"), DefaultClientID)
	rule, err := c.buildRule(params, clientID, kind)
	if err != nil {
		return 0, fmt.Errorf("wallarmtest: add rule: %w", err)
	}
	action, err := c.ruleScope(params, clientID)
	if err != nil {
		return 0, fmt.Errorf("wallarmtest: add rule: %w", err)
	}
	return c.storeRule(rule, clientID, action, nil, params.bool("system")).int("id"), nil
}

// putAttack stores an attack from its JSON. The members that the store has no
// place for are kept beside it.
func (c *Cloud) putAttack(o *object) EventID {
	a := Attack{
		ClientID: o.int("clientid"), ID: tupleOf(o.get("id")), Type: o.str("type"), Domain: o.str("domain"),
		Path: o.str("path"), Method: o.str("method"), Parameter: o.str("parameter"), Point: o.array("point"),
		PoolID: o.int("poolid"), Target: o.str("target"), Threat: o.int("threat"), VulnID: o.int("vulnid"),
		FalsePositive: o.str("state") == "falsepositive", Extra: extraOf(o),
	}
	if o.has("first_time") {
		a.Time = unix(o.int("first_time"))
		a.Hits = []Hit{{Time: a.Time}}
		if last := o.int("last_time"); last > o.int("first_time") {
			a.Hits = append(a.Hits, Hit{Time: unix(last)})
		}
	}
	return c.events.attackID(c.seedAttack(&a))
}

// putHit stores a hit from its JSON, and its attack when that is not there.
func (c *Cloud) putHit(o *object) (EventID, error) {
	h := Hit{
		ID: tupleOf(o.get("id")), Time: unix(o.int("time")), IP: o.str("ip"), Country: o.str("remote_country"),
		Datacenter: o.str("datacenter"), ProxyType: o.str("proxy_type"), Tor: o.str("tor") == "tor",
		Value: o.str("value"), StatusCode: int(o.int("statuscode")), Size: int(o.int("size")),
		ResponseTime: time.Duration(o.int("response_time")) * time.Millisecond, Port: int(o.int("remote_port")),
		BlockStatus: o.str("block_status"), RequestID: o.str("request_id"),
		KnownAttack: stringsOf(o.get("known_attack")), SecurityIssueID: o.int("security_issue_id"),
		FalsePositive: o.str("state") == "falsepositive", Extra: extraOf(o),
	}
	if !o.has("time") {
		h.Time = c.Now()
	}
	for _, e := range o.array("stamps") {
		if n, isInt := e.(int64); isInt {
			h.Stamps = append(h.Stamps, n)
		}
	}
	attackID := tupleOf(o.get("attackid"))
	if ref, found := c.events.find(attackID.String()); found && !ref.isHit {
		return c.events.hitID(c.seedHit(ref.index, &h)), nil
	}
	index := c.seedAttack(&Attack{
		ClientID: o.int("clientid"), ID: attackID, Type: o.str("type"), Domain: o.str("domain"), Path: o.str("path"),
		Point: o.array("point"), PoolID: o.int("poolid"), Protocol: o.str("protocol"),
		AuthProtocol: stringsOf(o.get("auth_protocol")), Hits: []Hit{h},
	})
	return c.events.hitID(c.events.attacks[index].lastHit), nil
}

// extraOf are the members to keep verbatim: all but those that the API itself
// changes or computes.
func extraOf(o *object) string {
	extra := o.clone()
	for _, name := range []string{"id", "attackid", "state"} {
		extra.del(name)
	}
	return string(appendJSON(nil, extra))
}

func tupleOf(v any) EventID {
	ids, valid := tupleIDs(v)
	if !valid || len(ids) != 1 {
		return EventID{}
	}
	index, doc := cutLast(ids[0])
	return EventID{index, doc}
}

func unix(seconds int64) time.Time { return time.Unix(seconds, 0) }
