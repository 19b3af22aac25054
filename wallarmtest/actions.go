package wallarmtest

import (
	"net/http"
	"regexp"
	"slices"
)

func (c *Cloud) actionRoutes() []route {
	return []route{
		{
			ids: "rules:10", name: "actions.list", method: http.MethodPost, pattern: "/v1/objects/action",
			handle: c.listActions,
		},
		{
			ids: "rules:11", name: "actions.get", method: http.MethodGet, pattern: "/v3/action/{id}",
			handle: c.getAction,
		},
		{
			ids: "rules:12", name: "actions.rename", method: http.MethodPut, pattern: "/v2/action/{id}",
			writes: true, handle: c.renameAction,
		},
		{
			ids: "attacks:38,rules:13", name: "actions.byHit", method: http.MethodPost,
			pattern: "/v1/objects/action/by_hit", handle: c.actionByHit,
		},
	}
}

// actionKey identifies an action: one per client and hash of conditions.
type actionKey struct {
	clientID int64
	hash     string
}

// findOrCreateAction returns the action with these conditions. They are
// normalised already. The state lock is held exclusively.
func (c *Cloud) findOrCreateAction(clientID int64, conditions []any) *object {
	if conditions == nil {
		conditions = []any{}
	}
	key := actionKey{clientID, conditionsHash(conditions)}
	if action, found := c.actions.get(c.actionHash[key]); found {
		return action
	}
	path, domain, instance := scopeSummary(conditions)
	action := c.actions.insert(obj(
		"clientid", clientID,
		"name", nil,
		"conditions", conditions,
		"endpoint_path", path,
		"endpoint_domain", domain,
		"endpoint_instance", instance,
		"updated_at", c.Now().Unix(),
	))
	c.actionHash[key] = action.int("id")
	return action
}

func (c *Cloud) touchAction(id int64) {
	if action, found := c.actions.get(id); found {
		c.actions.update(action, obj("updated_at", c.Now().Unix()))
	}
}

// dropEmptyAction removes an action without rules, but never the default one.
func (c *Cloud) dropEmptyAction(id int64) {
	action, found := c.actions.get(id)
	if !found || len(action.array("conditions")) == 0 {
		return
	}
	if c.rules.find(func(rule *object) bool { return rule.int("actionid") == id }) != nil {
		return
	}
	c.actions.remove(id)
	delete(c.actionHash, actionKey{action.int("clientid"), conditionsHash(action.array("conditions"))})
}

// listActions answers actions with their number of rules, which the filter
// can ask for too.
func (c *Cloud) listActions(q *call) (reply, error) {
	types := map[int64][]value{}
	for _, rule := range c.rules.all() {
		id := rule.int("actionid")
		types[id] = append(types[id], stringOf(rule.str("type")))
	}
	cols := objectColumns("id:int clientid:int name:string")
	cols["hint_type"] = column[*object]{kind: stringColumn, each: func(o *object, yield func(value) bool) {
		for _, t := range types[o.int("id")] {
			if !yield(t) {
				return
			}
		}
	}}
	cols["hints_count"] = column[*object]{kind: intColumn, one: func(o *object) value {
		return intOf(int64(len(types[o.int("id")])))
	}}
	cols["empty"] = column[*object]{kind: boolColumn, one: func(o *object) value {
		return boolOf(len(types[o.int("id")]) == 0)
	}}
	rows, err := c.actions.list(q, listing{
		columns: cols,
		order:   objectOrder("id updated_at name clientid"),
		orderBy: "id",
		paging:  paging{limit: 1000, min: 1},
	})
	if err != nil {
		return reply{}, err
	}
	rows = slices.Clone(rows)
	for i, action := range rows {
		rows[i] = action.clone().set("hints", len(types[action.int("id")]))
	}
	return ok(rows), nil
}

func (c *Cloud) getAction(q *call) (reply, error) {
	action, err := c.actions.byPath(q, "id")
	return ok(action), err
}

var actionName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

func (c *Cloud) renameAction(q *call) (reply, error) {
	action, err := c.actions.byPath(q, "id")
	if err != nil {
		return reply{}, err
	}
	if c.rulesLocked(action.int("clientid")) {
		return reply{}, errRulesLocked()
	}
	name, sent := q.params.lookup("name")
	text, isString := name.(string)
	switch {
	case !sent:
		return reply{}, errField("name", "required")
	case name != nil && (!isString || !actionName.MatchString(text)):
		return reply{}, errField("name", "invalid", name)
	}
	taken := c.actions.find(func(o *object) bool {
		return name != nil && o.int("clientid") == action.int("clientid") &&
			o.get("name") == name && o.int("id") != action.int("id")
	})
	if taken != nil {
		return reply{}, errAlreadyExists()
	}
	changed := c.actions.update(action, obj("name", name, "updated_at", c.Now().Unix()))
	q.changed("actions", "update", action, changed)
	return resultObject("updated", changed), nil
}

// actionByHit derives the scope of the address of a hit. The action itself is
// there only when some rule has been made for that scope.
func (c *Cloud) actionByHit(q *call) (reply, error) {
	ids, valid := tupleIDs(q.params.get("id"))
	if !valid || len(ids) != 1 {
		if q.params.get("id") == nil {
			return reply{}, errField("id", "required")
		}
		return reply{}, errField("id", "invalid", q.params.get("id"))
	}
	ref, found := c.events.find(ids[0])
	if !found || !ref.isHit {
		return reply{}, errNotFound()
	}
	p := c.events.attacks[c.events.hits[ref.index].attack].shape
	if !q.who.sees(p.clientID) {
		return reply{}, errNotFound()
	}
	conditions := hitConditions(p)
	body := obj("clientid", p.clientID, "conditions", conditions)
	key := actionKey{p.clientID, conditionsHash(conditions)}
	if action, exists := c.actions.get(c.actionHash[key]); exists {
		body.set("action", obj(
			"id", action.get("id"), "clientid", p.clientID, "name", action.get("name"),
			"conditions", action.get("conditions"), "updated_at", action.get("updated_at"),
		))
	}
	return ok(body), nil
}
