package wallarmtest

import (
	"net/http"
	"slices"
	"strings"
)

func (c *Cloud) ruleSettingRoutes() []route {
	const client = "/v2/client/{client_id}/rules/"
	return []route{
		{
			// The first read makes the rule, so it writes; yet whoever may read may call it.
			ids: "rules:15", name: "ruleSettings.mode", method: http.MethodGet, pattern: client + "wallarm_mode",
			writes: true, access: accessReaders, handle: c.getMode,
		},
		{
			ids: "rules:16", name: "ruleSettings.setMode", method: http.MethodPut, pattern: client + "wallarm_mode",
			writes: true, handle: c.setMode,
		},
		{
			ids: "rules:17", name: "ruleSettings.timeLimit", method: http.MethodGet, pattern: client + "overlimit_res_settings",
			handle: c.getTimeLimit,
		},
		{
			ids: "rules:18", name: "ruleSettings.setTimeLimit", method: http.MethodPut, pattern: client + "overlimit_res_settings",
			writes: true, handle: c.setTimeLimit,
		},
		{
			ids: "rules:19", name: "ruleSettings.get", method: http.MethodGet, pattern: client + "settings",
			handle: c.getRuleSettings,
		},
		{
			ids: "rules:20", name: "ruleSettings.update", method: http.MethodPut, pattern: client + "settings",
			writes: true, handle: c.updateRuleSettings,
		},
		{
			ids: "rules:21", name: "ruleSettings.reset", method: http.MethodDelete, pattern: client + "settings",
			writes: true, handle: c.resetRuleSettings,
		},
		{
			ids: "rules:22", name: "ruleSettings.list", method: http.MethodGet, pattern: "/v2/client/rules/settings",
			handle: c.listRuleSettings,
		},
		{
			ids: "rules:41", name: "ruleSettings.defaults", method: http.MethodGet, pattern: "/v2/client/rules/default_settings",
			handle: func(*call) (reply, error) { return ok(defaultRuleSettings()), nil },
		},
	}
}

// initRuleSettings makes the tables of what holds for all rules of a client:
// one object for each client that has changed something.
func (c *Cloud) initRuleSettings() {
	c.timeLimits = c.newTable("rule_time_limits", "clientid", 1601)
	c.ruleSettings = c.newTable("rule_settings", "clientid", 1701)
}

// ofClient returns the one object of a client in a table, or nil.
func (t *table) ofClient(clientID int64) *object {
	return t.find(func(o *object) bool { return o.int(t.owner) == clientID })
}

// setClient changes the one object of a client in a table, or makes it.
func (t *table) setClient(clientID int64, changes *object) {
	if o := t.ofClient(clientID); o != nil {
		t.update(o, changes)
		return
	}
	t.insert(obj(t.owner, clientID).merge(changes))
}

// modeRule is the platform's own rule that holds the filtration mode. It is
// made when it is first asked for.
func (c *Cloud) modeRule(clientID int64) *object {
	rule := c.rules.find(func(o *object) bool {
		return o.int("clientid") == clientID && o.bool("system") && o.str("type") == "wallarm_mode" && len(o.array("action")) == 0
	})
	if rule == nil {
		rule = c.storeRule(obj("type", "wallarm_mode", "mode", "default", "variativity_disabled", true),
			clientID, c.findOrCreateAction(clientID, nil), nil, true)
	}
	return rule
}

func (c *Cloud) getMode(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	return ok(obj("mode", c.modeRule(clientID).get("mode"))), nil
}

func (c *Cloud) setMode(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	mode := q.params.get("mode")
	switch text, _ := mode.(string); {
	case mode == nil:
		return reply{}, errField("mode", "can't be blank")
	case !slices.Contains([]string{"default", "monitoring", "block", "safe_blocking", "off"}, text):
		return reply{}, errField("mode", "invalid", mode)
	case c.rulesLocked(clientID):
		return reply{}, errRulesLocked()
	}
	rule := c.modeRule(clientID)
	changed := c.rules.update(rule, obj("mode", mode, "updated_at", c.Now().Unix()))
	q.changed("rules", "update", rule, changed)
	return ok(obj("mode", mode)), nil
}

func (c *Cloud) timeLimit(clientID int64) *object {
	if limit := c.timeLimits.ofClient(clientID); limit != nil {
		return obj("overlimit_time", limit.get("overlimit_time"), "mode", limit.get("mode"))
	}
	return obj("overlimit_time", int64(1000), "mode", "monitoring")
}

func (c *Cloud) getTimeLimit(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	return ok(c.timeLimit(clientID)), err
}

func (c *Cloud) setTimeLimit(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	limit, isInt := asInt(q.params.get("overlimit_time"))
	if !isInt || limit < 0 || limit > 10000 {
		errs.add("overlimit_time", "should be in 0..10000", q.params.get("overlimit_time"))
	}
	mode, _ := q.params.get("mode").(string)
	if mode != "blocking" && mode != "monitoring" {
		errs.add("mode", "invalid", q.params.get("mode"))
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	c.timeLimits.setClient(clientID, obj("overlimit_time", limit, "mode", mode))
	return ok(c.timeLimit(clientID)), nil
}

// defaultRuleSettings are the platform's.
func defaultRuleSettings() *object {
	return obj(
		"min_lom_format", nil, "max_lom_format", nil, "max_lom_size", int64(104857600), "lom_disabled", false,
		"lom_compilation_delay", int64(0), "rules_snapshot_enabled", true, "rules_snapshot_max_count", int64(5),
		"rules_manipulation_locked", false, "heavy_lom", false, "data_in_s3", true,
		"parameters_count_weight", int64(6), "path_variativity_weight", int64(6), "pii_weight", int64(8),
		"request_content_weight", int64(6), "open_vulns_weight", int64(9), "serialized_data_weight", int64(6),
		"risk_score_algo", "maximum", "pii_fallback", false, "pii_mode", "both", "vuln_detection_mode", "open",
		"api_spec_policy_lom_mode", "merge_all", "bola_min_nesting", int64(3), "bola_max_endpoints", int64(10),
		"bola_threshold", obj("count", int64(30), "period", int64(60)), "bola_detection_mode", "disabled",
	)
}

// settingsOf are the settings that hold for a client.
func (c *Cloud) settingsOf(clientID int64) *object {
	settings := obj("clientid", clientID).merge(defaultRuleSettings())
	if own := c.ruleSettings.ofClient(clientID); own != nil {
		settings.merge(own)
		settings.del("id")
	}
	return settings
}

func (c *Cloud) getRuleSettings(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	return ok(c.settingsOf(clientID)), nil
}

// settingRanges are the integers among the settings that can be changed.
var settingRanges = map[string][2]int64{
	"max_lom_size": {1025, 1<<63 - 1}, "lom_compilation_delay": {0, 1<<31 - 1}, "rules_snapshot_max_count": {0, 100},
	"parameters_count_weight": {0, 10}, "path_variativity_weight": {0, 10}, "pii_weight": {0, 10},
	"request_content_weight": {0, 10}, "open_vulns_weight": {0, 10}, "serialized_data_weight": {0, 10},
	"min_lom_format": {1, 1000}, "max_lom_format": {1, 1000},
}

var settingFlags = strings.Fields("lom_disabled rules_snapshot_enabled rules_manipulation_locked heavy_lom pii_fallback")

// updateRuleSettings leaves alone what is not sent. null is a value of the
// two format fields, and of no other.
func (c *Cloud) updateRuleSettings(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	changes := obj()
	var errs fieldErrors
	for _, m := range q.params.members {
		if message := readSetting(m.name, m.value, changes); message != "" {
			errs.add(m.name, message, m.value)
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	c.ruleSettings.setClient(clientID, changes)
	return ok(c.settingsOf(clientID)), nil
}

// readSetting checks one member. Names that nobody may write are passed over.
func readSetting(name string, v any, changes *object) (message string) {
	bounds, isNumber := settingRanges[name]
	switch {
	case v == nil && (name == "min_lom_format" || name == "max_lom_format"):
		changes.set(name, nil)
	case isNumber:
		n, isInt := asInt(v)
		if !isInt || n < bounds[0] || n > bounds[1] {
			return "invalid"
		}
		changes.set(name, n)
	case slices.Contains(settingFlags, name):
		b, isBool := asBool(v)
		if !isBool {
			return "must be boolean"
		}
		changes.set(name, b)
	case name == "risk_score_algo":
		if v != "maximum" && v != "average" {
			return "invalid"
		}
		changes.set(name, v)
	}
	return ""
}

func (c *Cloud) resetRuleSettings(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	own := c.ruleSettings.ofClient(clientID)
	if own == nil {
		return reply{}, errNotFound()
	}
	removed := c.settingsOf(clientID)
	c.ruleSettings.remove(own.int("id"))
	return ok(removed), nil
}

func (c *Cloud) listRuleSettings(q *call) (reply, error) {
	filter, err := q.filterObject(true)
	if err != nil {
		return reply{}, err
	}
	if err := q.checkOwner(filter, "clientid", true); err != nil {
		return reply{}, err
	}
	cols := objectColumns("clientid:int min_lom_format:int max_lom_size:int lom_disabled:bool rules_snapshot_enabled:bool heavy_lom:bool")
	compiled, err := cols.compile(filter)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 1000, min: 1})
	if err != nil {
		return reply{}, err
	}
	rows := []*object{}
	for _, client := range c.clients.all() {
		if settings := c.settingsOf(client.int("id")); compiled.match(settings) {
			rows = append(rows, settings)
		}
	}
	return ok(offsetPage(rows, limit, offset)), nil
}
