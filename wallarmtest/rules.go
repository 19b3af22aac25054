package wallarmtest

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

func (c *Cloud) ruleRoutes() []route {
	return []route{
		{
			ids: "rules:1", name: "rules.list", method: http.MethodPost, pattern: "/v1/objects/hint",
			handle: c.listRules,
		},
		{
			ids: "rules:2", name: "rules.create", method: http.MethodPost, pattern: "/v1/objects/hint/create",
			writes: true, handle: c.createRule,
		},
		{
			ids: "rules:3", name: "rules.delete", method: http.MethodPost, pattern: "/v1/objects/hint/delete",
			writes: true, handle: c.deleteRules,
		},
		{
			ids: "rules:4", name: "rules.get", method: http.MethodGet, pattern: "/v3/hint/{id}",
			handle: c.getRule,
		},
		{
			ids: "rules:5", name: "rules.update", method: http.MethodPut, pattern: "/v3/hint/{id}",
			writes: true, handle: c.updateRule,
		},
		{
			ids: "rules:6", name: "rules.deleteOne", method: http.MethodDelete, pattern: "/v3/hint/{id}",
			writes: true, handle: c.deleteRule,
		},
	}
}

func (c *Cloud) initRules() {
	c.rules = c.newTable("rules", "clientid", 77120001)
	c.actions = c.newTable("actions", "clientid", 901201)
	c.regexes = c.newTable("regexes", "clientid", 5501)
	c.actionHash = map[actionKey]int64{}
	c.derive(c.hashActions)
	c.keep("rule_locks", c.ruleLocks.save, c.ruleLocks.load)
}

// hashActions finds the hash of every action anew.
func (c *Cloud) hashActions() {
	clear(c.actionHash)
	for _, action := range c.actions.all() {
		c.actionHash[actionKey{action.int("clientid"), conditionsHash(action.array("conditions"))}] = action.int("id")
	}
}

var ruleListing = listing{
	columns: ruleColumns(),
	order: objectOrder("id updated_at create_time type actionid clientid create_userid regex_id validated system " +
		"active title comment set mode attack_type"),
	orderBy:        "id",
	paging:         paging{limit: 1000, min: 1},
	filterRequired: true,
	hide: func(q *call, rule *object) bool {
		return ruleTypes[rule.str("type")].elevated && !q.who.extended()
	},
}

func ruleColumns() columns[*object] {
	cols := objectColumns(`id:int actionid:int clientid:int create_userid:int create_time:time updated_at:time
		regex_id:int type:string system:bool validated:bool active:bool antibot_application_id:string point:json`)
	point := cols["point"]
	point.convert = func(v value) value { // points travel 2-D in filters
		if parsed, err := parseJSON([]byte(v.s)); err == nil {
			if flat, valid := flattenPoint(parsed); valid {
				return stringOf(string(appendJSON(nil, flat)))
			}
		}
		return v
	}
	cols["point"] = point
	return cols
}

func (c *Cloud) listRules(q *call) (reply, error) {
	rows, err := c.rules.list(q, ruleListing)
	return ok(rows), err
}

func (c *Cloud) getRule(q *call) (reply, error) {
	rule, err := c.rules.byPath(q, "id")
	return ok(rule), err
}

// commonRuleFields are the optional fields of every type.
var commonRuleFields = []ruleField{
	may("comment", nil, text),
	may("title", nil, plain(checkString)),
	may("set", nil, plain(checkString)),
	may("active", true, boolean),
	may("variativity_disabled", nil, boolean),
	may("validated", false, boolean),
	may("group_uuid", nil, plain(checkString)),
}

func checkString(v any) string {
	if _, isString := v.(string); !isString {
		return "must be string"
	}
	return ""
}

func (c *Cloud) createRule(q *call) (reply, error) {
	clientID, err := q.clientParam("clientid", true)
	if err != nil {
		return reply{}, err
	}
	if c.rulesLocked(clientID) {
		return reply{}, errRulesLocked()
	}
	kind, _ := q.params.get("type").(string)
	spec, known := ruleTypes[kind]
	if !known {
		if q.params.get("type") == nil {
			return reply{}, errField("type", "can't be blank")
		}
		return reply{}, errField("type", "invalid", q.params.get("type"))
	}
	if spec.extended && !q.who.extended() {
		return reply{}, errForbidden()
	}
	rule, err := c.buildRule(q.params, clientID, kind)
	if err != nil {
		return reply{}, err
	}
	action, err := c.ruleScope(q.params, clientID)
	if err != nil {
		return reply{}, err
	}
	if spec.counter != "" {
		same := func(o *object) bool { return o.int("actionid") == action.int("id") && o.str("type") == kind }
		if existing := c.rules.find(same); existing != nil {
			return ok(existing), nil
		}
	}
	rule = c.storeRule(rule, clientID, action, q.who.userID, false)
	q.changed("rules", "create", nil, rule)
	return ok(rule), nil
}

// buildRule validates the fields of a new rule and fills in its defaults.
func (c *Cloud) buildRule(params *object, clientID int64, kind string) (*object, error) {
	spec := ruleTypes[kind]
	rule := obj("type", kind)
	var errs fieldErrors
	for _, field := range spec.fields {
		field.read(params, rule, params, &errs)
	}
	for _, field := range commonRuleFields {
		field.read(params, rule, params, &errs)
	}
	if spec.counter != "" && params.get("point") != nil {
		errs.add("point", "must be absent", params.get("point"))
	}
	if kind == "disable_regex" && errs.empty() {
		target, found := c.regexes.get(rule.int("regex_id"))
		if !found || target.int("clientid") != clientID {
			errs.add("regex_id", "invalid", rule.get("regex_id"))
		}
	}
	if !params.has("action") && params.get("actionid") == nil {
		errs.add("action", "can't be blank")
	}
	if rule.get("variativity_disabled") == nil {
		rule.set("variativity_disabled", spec.variativity)
	}
	return rule, errs.err()
}

// read validates one field of params into rule. context holds the fields
// that others depend on, such as the mode of a reaction.
func (f ruleField) read(params, rule, context *object, errs *fieldErrors) {
	v, sent := params.lookup(f.name)
	if !sent || v == nil {
		switch {
		case f.required && f.blank != "":
			errs.add(f.name, f.blank)
			errs.add(f.name, "can't be blank", nil)
		case f.required:
			errs.add(f.name, "can't be blank")
		default:
			rule.set(f.name, f.fallback)
		}
		return
	}
	stored, failed := f.check(v, context)
	if failed.empty() {
		rule.set(f.name, stored)
		return
	}
	if own := failed.fields.object(""); own != nil {
		errs.fields.set(f.name, own)
		return
	}
	errs.nest(f.name, failed)
}

// ruleScope finds or makes the action that the request asks for.
func (c *Cloud) ruleScope(params *object, clientID int64) (*object, error) {
	if !params.has("action") {
		id, isInt := asInt(params.get("actionid"))
		action, found := c.actions.get(id)
		if !isInt || !found || action.int("clientid") != clientID {
			return nil, errField("actionid", "invalid", params.get("actionid"))
		}
		return action, nil
	}
	var errs fieldErrors
	conditions := readConditions(params.get("action"), &errs)
	if err := errs.err(); err != nil {
		return nil, err
	}
	return c.findOrCreateAction(clientID, conditions), nil
}

// storeRule completes a rule with what the service assigns and stores it.
func (c *Cloud) storeRule(fields *object, clientID int64, action *object, userID any, system bool) *object {
	now := c.Now().Unix()
	kind := fields.str("type")
	spec := ruleTypes[kind]
	rule := obj(
		"actionid", action.get("id"),
		"clientid", clientID,
		"action", action.get("conditions"),
		"create_time", now,
		"create_userid", userID,
		"updated_at", now,
		"validated", false,
		"system", system,
		"regex_id", nil,
	).merge(fields)
	rule.setDefault("active", true).setDefault("comment", nil).setDefault("title", nil).setDefault("set", nil)
	if spec.mitigation != "" {
		rule.set("mitigation", spec.mitigation)
	}
	switch {
	case kind == "regex" || kind == "experimental_regex":
		rule.set("regex_id", c.newRegex(clientID, rule.get("regex")))
	case kind == "rate_limit":
		rule.set("suffix", c.hex(16))
	case spec.counter != "":
		rule.set("counter", spec.counter+":"+string(appendJSON(nil, clientID))+":"+c.hex(8))
	}
	rule = c.rules.insert(rule)
	c.touchAction(action.int("id"))
	return rule
}

func (c *Cloud) newRegex(clientID int64, expression any) int64 {
	stored := c.regexes.insert(obj("clientid", clientID, "name", "", "value", expression))
	return stored.int("id")
}

// updatable are the fields that PUT changes for every type but counters.
var updatable = []string{"comment", "title", "active", "set", "variativity_disabled"}

// updateRule changes what may be changed and leaves the rest alone. The
// fields that decide where a rule applies are refused.
func (c *Cloud) updateRule(q *call) (reply, error) {
	rule, err := c.rules.byPath(q, "id")
	if err != nil {
		return reply{}, err
	}
	if c.rulesLocked(rule.int("clientid")) {
		return reply{}, errRulesLocked()
	}
	spec := ruleTypes[rule.str("type")]
	if spec.counter != "" || spec.extended && !q.who.extended() {
		return reply{}, errForbidden()
	}
	params := q.params
	if q.payload == nil {
		params = typedParams(params)
	}
	changes, err := ruleChanges(rule, params, spec)
	if err != nil {
		return reply{}, err
	}
	if regex, changed := changes.lookup("regex"); changed && rule.get("regex_id") != nil && regex != rule.get("regex") {
		old := rule.int("regex_id")
		changes.set("regex_id", c.newRegex(rule.int("clientid"), regex))
		c.dropRegex(q, old)
	}
	changes.set("updated_at", c.Now().Unix())
	changed := c.rules.update(rule, changes)
	c.touchAction(rule.int("actionid"))
	q.changed("rules", "update", rule, changed)
	return ok(changed), nil
}

func ruleChanges(rule, params *object, spec ruleType) (*object, error) {
	var errs fieldErrors
	for _, name := range []string{"type", "clientid", "action"} {
		if v, sent := params.lookup(name); sent {
			errs.add(name, "not allowed", v)
		}
	}
	context := rule.clone().merge(params)
	if !slices.Contains(spec.update, "mode") {
		context.set("mode", rule.get("mode"))
	}
	changes := obj()
	for _, field := range slices.Concat(spec.fields, commonRuleFields) {
		v := params.get(field.name)
		if v == nil || !slices.Contains(updatable, field.name) && !slices.Contains(spec.update, field.name) {
			continue
		}
		field.read(params, changes, context, &errs)
	}
	return changes, errs.err()
}

// typedParams gives the parameters of a query or form the types that JSON
// would have had.
func typedParams(params *object) *object {
	typed := params.clone()
	for i, m := range typed.members {
		switch m.name {
		case "active", "variativity_disabled", "introspection", "debug_enabled", "case_sensitive", "validated":
			if b, isBool := asBool(m.value); isBool {
				typed.members[i].value = b
			}
		case "stamp", "size", "overlimit_time", "delay", "burst", "rate", "rsp_status", "max_depth",
			"max_value_size_kb", "max_doc_size_kb", "max_aliases", "max_doc_per_batch":
			if n, isInt := asInt(m.value); isInt {
				typed.members[i].value = n
			}
		}
	}
	return typed
}

// deletable tells whether a rule can be deleted through the API: not what
// the platform made, and not counters, which vanish by themselves.
func deletable(rule *object) bool {
	return !rule.bool("system") && ruleTypes[rule.str("type")].counter == ""
}

// deleteRules deletes what the filter selects and answers what it deleted.
// What cannot be deleted is passed over in silence.
func (c *Cloud) deleteRules(q *call) (reply, error) {
	l := ruleListing
	l.ownerRequired = true
	l.writes = true
	rows, err := c.rules.selectRows(q, l)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 1 << 30})
	if err != nil {
		return reply{}, err
	}
	rows = offsetPage(slices.DeleteFunc(rows, func(o *object) bool { return !deletable(o) }), limit, offset)
	for _, rule := range rows {
		if c.rulesLocked(rule.int("clientid")) {
			return reply{}, errRulesLocked()
		}
	}
	if len(rows) == 0 && c.rulesLocked(q.who.clientID) {
		return reply{}, errRulesLocked()
	}
	for _, rule := range rows {
		c.dropRule(q, rule)
	}
	return ok(rows), nil
}

func (c *Cloud) deleteRule(q *call) (reply, error) {
	rule, err := c.rules.byPath(q, "id")
	if err != nil {
		return reply{}, err
	}
	switch {
	case c.rulesLocked(rule.int("clientid")):
		return reply{}, errRulesLocked()
	case !deletable(rule):
		return reply{}, errForbidden()
	}
	c.dropRule(q, rule)
	return ok(rule), nil
}

// dropRule removes a rule and what goes with it: its regex with the rules
// that disable it, and its action when it was the last on it.
func (c *Cloud) dropRule(q *call, rule *object) {
	if _, found := c.rules.get(rule.int("id")); !found {
		return
	}
	c.rules.remove(rule.int("id"))
	q.changed("rules", "delete", rule, nil)
	if kind := rule.str("type"); kind == "regex" || kind == "experimental_regex" {
		c.dropRegex(q, rule.int("regex_id"))
	}
	c.dropEmptyAction(rule.int("actionid"))
}

func (c *Cloud) dropRegex(q *call, id int64) {
	c.regexes.remove(id)
	for _, rule := range c.rules.all() {
		if rule.str("type") == "disable_regex" && rule.int("regex_id") == id {
			c.dropRule(q, rule)
		}
	}
}

// ruleLocks are the times until which rules cannot be changed.
type ruleLocks struct {
	until     time.Time
	permanent map[int64]bool // by rules_manipulation_locked of the client
}

func (l *ruleLocks) save() any {
	permanent := []any{}
	for _, id := range slices.Sorted(maps.Keys(l.permanent)) {
		if l.permanent[id] {
			permanent = append(permanent, id)
		}
	}
	return obj("until", savedTime(l.until), "permanent", permanent)
}

func (l *ruleLocks) load(v any) {
	o, _ := v.(*object)
	*l = ruleLocks{until: timeOf(o.get("until"))}
	for _, e := range o.array("permanent") {
		if l.permanent == nil {
			l.permanent = map[int64]bool{}
		}
		id, _ := asInt(e)
		l.permanent[id] = true
	}
}

// rulesLocked tells whether the rules of a client are locked. The state lock
// is held.
func (c *Cloud) rulesLocked(clientID int64) bool {
	return c.rulesLockedForGood(clientID) || c.rulesStatus(clientID) != "ready"
}

// rulesLockedForGood tells whether the settings of a client lock its rules.
func (c *Cloud) rulesLockedForGood(clientID int64) bool {
	return c.ruleLocks.permanent[clientID] || c.settingsOf(clientID).bool("rules_manipulation_locked")
}

// lockRules locks all rules for a while. The state lock is held.
func (c *Cloud) lockRules(d time.Duration) { c.ruleLocks.until = c.Now().Add(d) }

// LockRules answers every change of rules with 423 until d has passed on the
// clock of the cloud, as while a snapshot is taken.
func (c *Cloud) LockRules(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lockRules(d)
}
