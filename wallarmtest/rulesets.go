package wallarmtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"
)

func (c *Cloud) rulesetRoutes() []route {
	return []route{
		{ids: "rules:28", name: "rulesets.version", method: http.MethodGet, pattern: "/v2/lom_version/{client_id}", handle: c.rulesetVersion},
		{ids: "rules:29", name: "rulesets.state", method: http.MethodGet, pattern: "/v2/lom_state/{client_id}", handle: c.rulesetState},
		{ids: "rules:30", name: "rulesets.list", method: http.MethodGet, pattern: "/v2/custom-rulesets", handle: c.listRulesets},
		{ids: "rules:31", name: "rulesets.get", method: http.MethodGet, pattern: "/v2/custom-rulesets/{id}", handle: c.getRuleset},
		{
			ids: "rules:43", name: "rulesets.compilation", method: http.MethodGet,
			pattern: "/v2/client/{client_id}/lom_compilation", handle: c.compilation,
		},
		{
			ids: "rules:44", name: "rulesets.compile", method: http.MethodPost,
			pattern: "/v2/client/{client_id}/lom_compilation", writes: true, handle: c.compile,
		},
	}
}

// A build takes rulesetTime on the clock of the cloud, and nodes fetch it
// within nodeFetchTime.
const (
	rulesetTime   = 2 * time.Second
	nodeFetchTime = 2 * time.Minute
	rulesetFormat = 56
)

// initRulesets makes the base ruleset, and schedules a build whenever a rule
// changes.
func (c *Cloud) initRulesets() {
	c.rulesets = c.newTable("rulesets", "", 88001)
	c.rulesets.insert(obj(
		"clientid", nil, "compile_time", int64(rulesetTime/time.Second), "created_at", c.Now().Unix()-86400, "format", int64(rulesetFormat),
		"ready", true, "version", int64(1),
	))
	c.observers = append(c.observers, func(_ *call, ch change) {
		if ch.kind == "rules" {
			c.scheduleBuild(cmp.Or(ch.after, ch.before).int("clientid"))
		}
	})
}

// builds returns the builds of a client as they are by now, oldest first.
func (c *Cloud) builds(clientID int64) []*object {
	var out []*object
	for _, o := range c.rulesets.all() {
		if o.get("clientid") != nil && o.int("clientid") == clientID {
			out = append(out, c.rulesetView(o))
		}
	}
	return out
}

// rulesetView is a build as answers have it: it finishes with the clock.
func (c *Cloud) rulesetView(o *object) *object {
	if o.bool("ready") || c.Now().Before(readyAt(o)) {
		return o
	}
	return o.clone().set("ready", true).set("compile_time", int64(rulesetTime/time.Second))
}

func readyAt(o *object) time.Time { return time.Unix(o.int("created_at"), 0).Add(rulesetTime) }

// scheduleBuild queues a build. Changes within one second, and those during
// the delay that the settings ask for, share it.
func (c *Cloud) scheduleBuild(clientID int64) {
	settings := c.settingsOf(clientID)
	if settings.bool("lom_disabled") {
		return
	}
	start, version := c.Now().Unix()+settings.int("lom_compilation_delay"), int64(1)
	if builds := c.builds(clientID); len(builds) > 0 {
		last := builds[len(builds)-1]
		if last.int("created_at") >= c.Now().Unix() {
			return
		}
		version = last.int("version") + 1
	}
	c.rulesets.insert(obj(
		"clientid", clientID, "compile_time", nil, "created_at", start, "format", int64(rulesetFormat), "ready", false, "version", version,
	))
}

// lastBuilds returns the newest finished build and the version before it.
func (c *Cloud) lastBuilds(clientID int64) (current *object, before int64) {
	for _, o := range c.builds(clientID) {
		if !o.bool("ready") {
			continue
		}
		if current != nil {
			before = current.int("version")
		}
		current = o
	}
	return current, before
}

func (c *Cloud) rulesetVersion(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	current, _ := c.lastBuilds(clientID)
	if current == nil {
		return reply{}, errNotFound()
	}
	return ok(obj("build_at", readyAt(current).Unix(), "format", current.get("format"), "version", current.get("version"))), nil
}

func (c *Cloud) rulesetState(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	actual, outdated, version := int64(0), int64(0), int64(0)
	current, before := c.lastBuilds(clientID)
	if nodes, known := c.tables["nodes"]; known {
		for _, node := range nodes.all() {
			if node.int(nodes.owner) == clientID {
				actual++
			}
		}
	}
	if current != nil {
		version = current.int("version")
		if c.Now().Before(readyAt(current).Add(nodeFetchTime)) {
			actual, outdated = 0, actual
		}
	}
	return bodyOnly(obj("actual_nodes", actual, "outdated_nodes", outdated, "current_build", version, "last_build", before)), nil
}

func (c *Cloud) listRulesets(q *call) (reply, error) {
	filter, err := q.filterObject(false)
	if err != nil {
		return reply{}, err
	}
	filter = filter.clone()
	base := filter.get("clientid") == ""
	if base {
		filter.del("clientid")
	}
	if err := q.checkOwner(filter, "clientid", false); err != nil {
		return reply{}, err
	}
	selected, err := rulesetFilter(filter)
	if err != nil {
		return reply{}, err
	}
	if v := q.params.get("offset"); v != nil {
		if n, isInt := asInt(v); isInt && n < 1 {
			return reply{}, errField("offset", "invalid", v)
		}
	}
	limit, offset, err := q.limits(paging{limit: 100, min: 1})
	if err != nil {
		return reply{}, err
	}
	rows := []*object{}
	for _, o := range c.rulesets.all() {
		o = c.rulesetView(o)
		isBase := o.get("clientid") == nil
		if isBase == base && (isBase || q.who.sees(o.int("clientid"))) && selected(o) {
			rows = append(rows, o)
		}
	}
	slices.SortStableFunc(rows, func(a, b *object) int {
		return cmp.Or(-cmp.Compare(a.int("format"), b.int("format")), -cmp.Compare(a.int("version"), b.int("version")))
	})
	return ok(offsetPage(rows, limit, offset)), nil
}

// rulesetFilter reads the names that this filter alone has.
func rulesetFilter(filter *object) (func(*object) bool, error) {
	columns := map[string]string{"format_one_of": "format", "version_one_of": "version", "clientid": "clientid"}
	var tests []func(*object) bool
	var errs fieldErrors
	for _, m := range filter.members {
		n, isInt := asInt(m.value)
		ready, isBool := asBool(m.value)
		switch column, isSet := columns[m.name]; {
		case isSet:
			var wanted []int64
			for _, e := range asList(m.value) {
				id, isID := asInt(e)
				if !isID || id < 1 {
					errs.add("filter["+m.name+"]", "invalid", m.value)
				}
				wanted = append(wanted, id)
			}
			tests = append(tests, func(o *object) bool { return slices.Contains(wanted, o.int(column)) })
		case m.name == "created_after" && isInt:
			tests = append(tests, func(o *object) bool { return o.int("created_at") >= n })
		case m.name == "created_before" && isInt:
			tests = append(tests, func(o *object) bool { return o.int("created_at") <= n })
		case m.name == "ready" && isBool:
			tests = append(tests, func(o *object) bool { return o.bool("ready") == ready })
		default:
			errs.add("filter["+m.name+"]", "invalid", m.value)
		}
	}
	return func(o *object) bool {
		return !slices.ContainsFunc(tests, func(test func(*object) bool) bool { return !test(o) })
	}, errs.err()
}

func (c *Cloud) getRuleset(q *call) (reply, error) {
	o, err := c.rulesets.byPath(q, "id")
	if err == nil && o.get("clientid") != nil && !q.who.sees(o.int("clientid")) {
		err = errNotFound()
	}
	if err != nil {
		return reply{}, err
	}
	return ok(c.rulesetView(o)), nil
}

func (c *Cloud) compilation(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	for _, o := range c.builds(clientID) {
		if !o.bool("ready") {
			return ok(obj("compilation_start", o.get("created_at"), "compilation_state", "running",
				"average_compilation_time", int64(rulesetTime/time.Second))), nil
		}
	}
	return ok(obj("compilation_start", nil, "compilation_state", nil, "average_compilation_time", int64(rulesetTime/time.Second))), nil
}

func (c *Cloud) compile(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	if _, known := c.clients.get(clientID); !known {
		return reply{}, errNotFound()
	}
	c.scheduleBuild(clientID)
	return ok(obj("job_id", fmt.Sprintf("job-%s", c.hex(8)))), nil
}
