package wallarmtest

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// Vuln is a vulnerability to add. Zero fields get plausible values.
type Vuln struct {
	// ID is chosen by the cloud when it is 0.
	ID int64
	// ClientID is the default client when it is 0.
	ClientID int64
	// Type is a code such as "sqli".
	Type string
	// Title, Domain, Path, Method and Parameter say what and where it is.
	Title, Domain, Path, Method, Parameter string
	// Target is client, database or server.
	Target string
	// Threat is 60 when it is 0.
	Threat int64
	// Status is open when it is empty.
	Status string
	// Found is when it was validated; the present when it is zero.
	Found time.Time
}

// AddVuln adds a vulnerability and returns its id. An attack whose VulnID is
// this id is an incident.
func (c *Cloud) AddVuln(v Vuln) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addVuln(v)
}

func (c *Cloud) addVuln(v Vuln) int64 {
	t := c.tables["vulns"]
	if v.Found.IsZero() {
		v.Found = c.Now()
	}
	id := v.ID
	if id == 0 {
		id = t.nextID()
	}
	found, status := v.Found.Unix(), cmp.Or(v.Status, vulnOpen)
	place := obj(
		"method", cmp.Or(v.Method, http.MethodGet),
		"domain", cmp.Or(v.Domain, "shop.example.com"),
		"path", cmp.Or(v.Path, "/search"),
		"parameter", cmp.Or(v.Parameter, "GET_q_value"),
	)
	kind := cmp.Or(v.Type, "sqli")
	o := obj(
		"id", id,
		"wid", "EXMPL-"+string(appendJSON(nil, id)),
		"template", kind+".base",
		"status", status,
		"target", cmp.Or(v.Target, "server"),
		"type", kind,
		"threat", cmp.Or(v.Threat, 60),
		"clientid", cmp.Or(v.ClientID, DefaultClientID),
		"testrun_id", nil,
		"validate_time", found,
		"invalidate_time", nil,
		"last_check", nil,
		"incidents", nil,
		"ticket_status", nil,
		"ticket_history", []any{vulnEvent(found, vulnOpen, "found")},
	).merge(place).merge(obj(
		"title", cmp.Or(v.Title, "Vulnerability of type "+kind),
		"description", "",
		"additional", "",
		"exploit_example", "",
		"filter", []any{place},
		"validated", true,
		"hidden", false,
		"detection_method", "passive",
		"vuln_recheck_type", nil,
		"template_params", place,
	))
	if status == vulnClosed {
		o.set("invalidate_time", found)
	}
	t.put(id, o)
	return id
}

const (
	vulnOpen   = "open"
	vulnClosed = "closed"
	vulnFalse  = "falsepositive"
)

func vulnEvent(at int64, kind, message string) *object {
	return obj("time", at, "type", kind, "message", message, "link", nil)
}

func (c *Cloud) initVulns() {
	c.newTable("vulns", "clientid", 90001)
	templates := c.newTable("vuln_templates", "", 12)
	for _, kind := range []string{"sqli", "xss", "ptrav", "rce", "xxe", "ssrf", "crlf", "redir", "nosqli", "mass_assignment", "csrf", "info"} {
		templates.insert(obj(
			"name", kind+".base",
			"params", obj("method", "", "domain", "", "path", "", "parameter", []any{}),
		))
	}
}

func (c *Cloud) vulnRoutes() []route {
	return []route{
		{
			ids: "attacks:46", name: "vulns.list", method: http.MethodPost, pattern: "/v1/objects/vuln",
			handle: c.listVulns,
		},
		{
			ids: "attacks:47", name: "vulns.count", method: http.MethodPost, pattern: "/v1/objects/vuln/count",
			handle: c.countVulns,
		},
		{
			ids: "attacks:48", name: "vulns.update", method: http.MethodPost, pattern: "/v1/objects/vuln/update",
			writes: true, access: accessAnalysts, handle: c.updateVulns,
		},
		{
			ids: "attacks:70", name: "vulns.markFalsePositive", method: http.MethodPost,
			pattern: "/v2/vuln/{id}/mark_false_positive", writes: true, access: accessAnalysts, handle: c.markVulnFalse,
		},
		{
			ids: "addenda:4", name: "vulns.templates", method: http.MethodGet, pattern: "/v2/vuln/template",
			handle: func(*call) (reply, error) { return bodyOnly(obj("result", c.tables["vuln_templates"].all())), nil },
		},
		{
			ids: "addenda:5", name: "vulns.template", method: http.MethodGet, pattern: "/v2/vuln/template/{id}",
			handle: func(q *call) (reply, error) {
				o, err := c.tables["vuln_templates"].byPath(q, "id")
				return bodyOnly(obj("result", o)), err
			},
		},
	}
}

const vulnCountColumns = "id:int clientid:int testrun_id:int validate_time:time invalidate_time:time time=validate_time:time " +
	"threat:int method:string domain:string path:string parameter:string pool:string scid:string vuln_recheck_type:string " +
	"hidden:bool validated:bool"

func vulnOrder() map[string]func(*object) value {
	order := objectOrder("id clientid pool validate_time invalidate_time template vuln_recheck_type type status target threat " +
		"method domain path parameter scid hidden validated testrun_id")
	order["time"] = order["validate_time"]
	return order
}

func (c *Cloud) listVulns(q *call) (reply, error) {
	if v := q.params.get("language"); v != nil {
		if _, isString := v.(string); !isString {
			return reply{}, errField("language", "must be string", v)
		}
	}
	if v, sent := q.params.object("filter").lookup("!preset"); sent {
		return reply{}, errField("filter.!preset", "invalid", v)
	}
	rows, err := c.tables["vulns"].list(q, listing{
		columns: objectColumns(vulnCountColumns + " type:string target:string status:string preset:string"),
		order:   vulnOrder(), orderBy: "id", paging: paging{limit: 100, min: 1, max: 1000},
	})
	return ok(rows), err
}

// countVulns takes fewer conditions than the list: the description of the
// route has no type, target, status and preset.
func (c *Cloud) countVulns(q *call) (reply, error) {
	rows, err := c.tables["vulns"].selectRows(q, listing{columns: objectColumns(vulnCountColumns)})
	return ok(obj("count", len(rows))), err
}

// vulnFields are the members that an update may carry, by the kind of their
// values; enumerations are lists.
var vulnFields = map[string]any{
	"status": []string{vulnOpen, vulnClosed, vulnFalse}, "threat": intColumn, "title": stringColumn, "description": stringColumn,
	"additional": stringColumn, "exploit_example": stringColumn, "template": stringColumn, "template_params": jsonColumn,
	"last_check": intColumn, "vuln_recheck_type": stringColumn, "filter": jsonColumn, "validated": boolColumn,
	"hidden": boolColumn, "vpatched": boolColumn,
}

// checkVulnFields returns the changes that an update asks for.
func checkVulnFields(fields *object) (*object, error) {
	var errs fieldErrors
	changes := obj()
	for _, m := range fields.members {
		name := "fields." + m.name
		switch kind := vulnFields[m.name].(type) {
		case nil:
			errs.add(name, "invalid", m.value)
		case []string:
			if s, isString := m.value.(string); !isString || !slices.Contains(kind, s) {
				errs.add(name, "invalid", m.value)
			}
		case columnKind:
			if _, isList := m.value.([]any); isList && kind != jsonColumn {
				errs.add(name, "invalid", m.value)
			} else if _, err := kind.read(m.value); err != nil {
				errs.add(name, err.Error(), m.value)
			}
		}
		changes.set(m.name, m.value)
	}
	if template, sent := changes.lookup("template_params"); sent {
		if o, isObject := template.(*object); !isObject {
			errs.add("fields.template_params", "invalid", template)
		} else {
			for _, m := range o.members {
				if !slices.Contains([]string{"custom_title", "custom_description", "custom_additional"}, m.name) {
					errs.add("fields.template_params."+m.name, "invalid", m.value)
				}
			}
		}
	}
	return changes, errs.err()
}

// updateVulns changes the vulnerabilities that filter.id names. A filter
// without ids is refused.
func (c *Cloud) updateVulns(q *call) (reply, error) {
	t := c.tables["vulns"]
	filter, err := q.filterObject(true)
	if err != nil {
		return reply{}, err
	}
	if len(asList(filter.get("id"))) == 0 {
		return reply{}, errField("filter.id", "required")
	}
	fields, isObject := q.params.get("fields").(*object)
	if !isObject || len(fields.members) == 0 {
		return reply{}, errField("fields", "required")
	}
	changes, err := checkVulnFields(fields)
	if err != nil {
		return reply{}, err
	}
	rows, err := t.selectRows(q, listing{columns: objectColumns("id:int clientid:int"), ownerRequired: true, writes: true})
	if err != nil {
		return reply{}, err
	}
	changed := make([]*object, 0, len(rows))
	for _, o := range rows {
		changed = append(changed, c.changeVuln(q, o, changes.clone()))
	}
	return ok(changed), nil
}

// changeVuln stores the changes and what follows from them: a change of the
// status ends or restarts the life of the vulnerability, and each change adds
// to the history.
func (c *Cloud) changeVuln(q *call, o, changes *object) *object {
	now := q.now.Unix()
	kind := "update"
	switch changes.str("status") {
	case vulnClosed, vulnFalse:
		kind = changes.str("status")
		changes.set("invalidate_time", now)
	case vulnOpen:
		kind = vulnOpen
		changes.set("invalidate_time", nil)
	}
	if params := changes.object("template_params"); params != nil {
		changes.set("template_params", o.object("template_params").clone().merge(params))
	}
	history := append(slices.Clone(o.array("ticket_history")), vulnEvent(now, kind, "changed by user"))
	changed := c.tables["vulns"].update(o, changes.set("ticket_history", history))
	q.changed("vulns", "update", o, changed)
	return changed
}

func (c *Cloud) markVulnFalse(q *call) (reply, error) {
	o, err := c.tables["vulns"].byPath(q, "id")
	if err != nil {
		return reply{}, errBodyOnly(http.StatusNotFound, "Not found")
	}
	if o.str("status") != vulnFalse {
		c.changeVuln(q, o, obj("status", vulnFalse))
	}
	return noBody(http.StatusAccepted), nil
}
