package wallarmtest

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

func (c *Cloud) apiSpecRoutes() []route {
	const specs = "/v4/clients/{client_id}/rules/api-specs"
	return []route{
		{ids: "infrastructure:AS-1", name: "apiSpecs.list", method: http.MethodGet, pattern: specs, handle: c.listAPISpecs},
		{
			// Each read makes a new link to the file, hence the exclusive lock.
			ids: "infrastructure:AS-2", name: "apiSpecs.get", method: http.MethodGet, pattern: specs + "/{id}",
			writes: true, access: accessReaders, handle: c.getAPISpec,
		},
		{
			ids: "infrastructure:AS-3", name: "apiSpecs.create", method: http.MethodPost, pattern: specs,
			writes: true, handle: c.createAPISpec,
		},
		{
			ids: "infrastructure:AS-4", name: "apiSpecs.update", method: http.MethodPut, pattern: specs + "/{id}",
			writes: true, handle: c.updateAPISpec,
		},
		{
			ids: "infrastructure:AS-5", name: "apiSpecs.delete", method: http.MethodDelete, pattern: specs + "/{id}",
			writes: true, handle: c.deleteAPISpec,
		},
		{
			ids: "infrastructure:AS-6", name: "apiSpecs.setPolicy", method: http.MethodPut, pattern: specs + "/{id}/policy",
			writes: true, handle: c.setAPISpecPolicy,
		},
		{
			ids: "infrastructure:AS-7", name: "apiSpecs.syncState", method: http.MethodGet,
			pattern: "/v2/client/{client_id}/synced_api_specs", handle: c.syncedAPISpecs,
		},
		{
			ids: "infrastructure:AS-8", name: "apiSpecs.syncNodes", method: http.MethodGet,
			pattern: "/v2/client/{client_id}/synced_api_specs/{id}", handle: c.syncedNodes,
		},
	}
}

func (c *Cloud) initAPISpecs() { c.apiSpecs = c.newTable("api_specs", "client_id", 6601) }

// specProcessing is how long a file is pending after it was named.
const specProcessing = 5 * time.Second

// specFetched is the member of the state, not of answers, that says when the
// file was last named, in unix nanoseconds. A spec without it, such as one
// from Put, is answered as it is.
const specFetched = "fetched"

// current returns the spec with what follows from its file once that has
// been read. The file itself is never fetched: it describes no endpoints.
func (c *Cloud) currentSpec(o *object) *object {
	fetched, known := o.lookup(specFetched)
	view := o.clone()
	view.del(specFetched)
	if !known {
		return view
	}
	ready := time.Unix(0, fetched.(int64)).Add(specProcessing)
	if c.Now().Before(ready) {
		return view
	}
	at := ready.UTC().Format(time.RFC3339)
	version := o.int("version") + 1
	u, _ := url.Parse(o.str("file_remote_url"))
	return view.merge(obj(
		"status", "ready", "spec_version", "1.0.0", "openapi_version", "3.0.3", "version", version, "node_sync_version", version,
		"last_synced_at", at, "file_changed_at", at,
		"file", obj("name", path.Base(u.Path), "checksum", fmt.Sprintf("%x", fetched), "mime_type", "application/yaml", "version", version),
	))
}

// specView hides what the answer of a route lacks.
func (c *Cloud) specView(o *object, hidden ...string) *object {
	view := c.currentSpec(o)
	for _, name := range hidden {
		view.del(name)
	}
	return view
}

func (c *Cloud) specsOf(clientID int64, q *call) []*object {
	return slices.DeleteFunc(c.apiSpecs.visible(q), func(o *object) bool { return o.int("client_id") != clientID })
}

func (c *Cloud) listAPISpecs(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	rows := c.specsOf(clientID, q)
	for i, o := range rows {
		rows[i] = c.specView(o, "file_remote_url", "file", "policy")
	}
	return numberedPage(q, rows, 50)
}

func (c *Cloud) specByPath(q *call) (*object, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return nil, err
	}
	o, err := c.apiSpecs.byPath(q, "id")
	if err != nil || o.int("client_id") != clientID {
		return nil, errText(http.StatusNotFound, "Api spec with ID:"+q.path["id"]+" not found")
	}
	return o, nil
}

// changeableSpec is specByPath for changes, which wait for the rules lock.
func (c *Cloud) changeableSpec(q *call) (*object, error) {
	o, err := c.specByPath(q)
	if err == nil && c.rulesLocked(o.int("client_id")) {
		return nil, errRulesLocked()
	}
	return o, err
}

func (c *Cloud) getAPISpec(q *call) (reply, error) {
	o, err := c.specByPath(q)
	if err != nil {
		return reply{}, err
	}
	view := c.specView(o)
	if file := view.object("file"); file != nil {
		link := fmt.Sprintf("https://files.example.com/specs/%d/%s?signature=%s", o.int("id"), url.PathEscape(file.str("name")), c.hex(32))
		view.set("file", file.clone().set("signed_url", link))
	}
	return ok(view), nil
}

func (c *Cloud) createAPISpec(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	switch {
	case err != nil:
		return reply{}, err
	case c.rulesLocked(clientID):
		return reply{}, errRulesLocked()
	}
	var errs fieldErrors
	for _, name := range []string{"title", "file_remote_url"} {
		if q.params.get(name) == nil {
			errs.add(name, "can't be blank")
		}
	}
	fields := readSpec(q.params, &errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	created := q.now.UTC().Format(time.RFC3339)
	o := c.apiSpecs.insert(obj(
		"client_id", clientID, "title", nil, "description", "", "status", "pending", "instances", []any{}, "domains", []any{},
		"regular_file_update", false, "api_detection", false, "auth_headers", []any{}, "spec_version", nil, "version", 0, "node_sync_version", 0,
		"format", 1, "endpoints_count", 0, "shadow_endpoints_count", 0, "orphan_endpoints_count", 0, "zombie_endpoints_count", 0,
		"openapi_version", nil, "last_synced_at", nil, "last_compared_at", nil, "file_changed_at", nil,
		"created_at", created, "updated_at", created, "policy", nil, specFetched, q.now.UnixNano(),
	).merge(fields))
	return c.answerSpec(q, "create", nil, o), nil
}

// updateAPISpec changes the members that are sent. Another URL makes another
// version of the file.
func (c *Cloud) updateAPISpec(q *call) (reply, error) {
	before, err := c.changeableSpec(q)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	changes := readSpec(q.params, &errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	if link := changes.get("file_remote_url"); link != nil && link != before.get("file_remote_url") {
		read := c.currentSpec(before)
		changes.merge(obj("status", "pending", "version", read.get("version"), "node_sync_version", read.get("node_sync_version"))).
			set(specFetched, q.now.UnixNano())
	}
	after := c.apiSpecs.update(before, changes.set("updated_at", q.now.UTC().Format(time.RFC3339)))
	return c.answerSpec(q, "update", before, after), nil
}

func (c *Cloud) answerSpec(q *call, action string, before, after *object) reply {
	hidden := []string{"file_remote_url", "auth_headers", "file", "policy"}
	if before != nil {
		before = c.specView(before, hidden...)
	}
	view := c.specView(after, hidden...)
	q.changed("api_specs", action, before, view)
	return ok(view)
}

func (c *Cloud) deleteAPISpec(q *call) (reply, error) {
	o, err := c.changeableSpec(q)
	if err != nil {
		return reply{}, err
	}
	c.apiSpecs.remove(o.int("id"))
	q.changed("api_specs", "delete", c.specView(o, "file_remote_url", "auth_headers", "file"), nil)
	return statusOnly(), nil
}

// readSpec validates the members of a create or an update.
func readSpec(params *object, errs *fieldErrors) *object {
	changes := obj()
	for _, name := range []string{"title", "description", "file_remote_url"} {
		v, sent := params.lookup(name)
		if !sent || v == nil {
			continue
		}
		text, isString := v.(string)
		switch {
		case !isString:
			errs.add(name, "must be string", v)
		case name != "description" && strings.TrimSpace(text) == "":
			errs.add(name, "can't be blank", v)
		case name == "file_remote_url" && !isWebURL(text):
			errs.add(name, "invalid")
		}
		changes.set(name, v)
	}
	for _, name := range []string{"regular_file_update", "api_detection"} {
		v, sent := params.lookup(name)
		if !sent {
			continue
		}
		value, isBool := asBool(v)
		if !isBool {
			errs.add(name, "must be boolean", v)
		}
		changes.set(name, value)
	}
	readSpecList(params, "instances", changes, errs, func(v any) bool { _, isInt := v.(int64); return isInt })
	readSpecList(params, "domains", changes, errs, func(v any) bool { _, isString := v.(string); return isString })
	readSpecList(params, "auth_headers", changes, errs, isAuthHeader)
	return changes
}

func readSpecList(params *object, name string, changes *object, errs *fieldErrors, valid func(any) bool) {
	v, sent := params.lookup(name)
	if !sent || v == nil {
		return
	}
	list, isList := v.([]any)
	switch {
	case !isList:
		errs.add(name, "must be an array")
	case slices.ContainsFunc(list, func(e any) bool { return !valid(e) }):
		errs.add(name, "invalid")
	}
	changes.set(name, v)
}

func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

func isAuthHeader(v any) bool {
	header, isObject := v.(*object)
	if !isObject || header.str("key") == "" {
		return false
	}
	_, isString := header.get("value").(string)
	return isString
}

// policyModes are the violations that a policy decides on. The elevated ones
// are for the vendor's administrators and know no "ignore".
var (
	policyModes = strings.Fields(`undefined_endpoint_mode undefined_parameter_mode missing_parameter_mode
		invalid_parameter_value_mode missing_auth_mode invalid_request_mode`)
	elevatedModes = []string{"timeout_mode", "max_request_size_mode"}
)

// setAPISpecPolicy replaces the policy. What only the vendor's administrators
// may set is taken from others in silence, and changes nothing.
func (c *Cloud) setAPISpecPolicy(q *call) (reply, error) {
	o, err := c.changeableSpec(q)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	policy := obj("enabled", false)
	if v, sent := q.params.lookup("enabled"); sent {
		enabled, isBool := asBool(v)
		if !isBool {
			errs.add("enabled", "must be boolean", v)
		}
		policy.set("enabled", enabled)
	}
	conditions, isList := q.params.get("conditions").([]any)
	if !isList {
		errs.add("conditions", "must be an array", q.params.get("conditions"))
	}
	read := new(fieldErrors)
	policy.set("conditions", readConditions(conditions, read))
	if message := read.fields.object("action"); message != nil {
		errs.add("conditions", message.str("error"), message.get("value"))
	}
	for _, name := range policyModes {
		policy.set(name, readMode(q.params, name, []string{"block", "monitor", "ignore"}, &errs))
	}
	for _, name := range elevatedModes {
		policy.set(name, readMode(q.params, name, []string{"block", "monitor"}, &errs))
	}
	policy.set("timeout", 1000).set("max_request_size", 1024)
	for _, name := range []string{"timeout", "max_request_size"} {
		if v := q.params.get(name); v != nil {
			n, isInt := asInt(v)
			if !isInt || n < 0 {
				errs.add(name, "invalid", v)
			}
			if q.who.has("superadmin") {
				policy.set(name, n)
			}
		}
	}
	if !q.who.has("superadmin") {
		policy.set("timeout_mode", "monitor").set("max_request_size_mode", "monitor")
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	after := c.apiSpecs.update(o, obj("policy", policy))
	hidden := []string{"file_remote_url", "auth_headers", "file"}
	q.changed("api_specs", "update", c.specView(o, hidden...), c.specView(after, hidden...))
	return ok(policy), nil
}

func readMode(params *object, name string, modes []string, errs *fieldErrors) string {
	v := params.get(name)
	if v == nil {
		return "monitor"
	}
	mode, _ := v.(string)
	if !slices.Contains(modes, mode) {
		errs.add(name, "invalid", v)
	}
	return mode
}

// activeNodes are the nodes of a client that have reported. A node gets a spec
// as soon as its file has been read.
func (c *Cloud) activeNodes(clientID int64, q *call) []*object {
	nodes, found := c.tables["nodes"]
	if !found {
		return nil
	}
	return slices.DeleteFunc(nodes.visible(q), func(o *object) bool { return o.int("clientid") != clientID || !o.bool("active") })
}

// syncedAPISpecs reads the versions from a body, though it is a GET.
func (c *Cloud) syncedAPISpecs(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	asked, isList := q.params.get("api_specs").([]any)
	if !isList {
		return reply{}, errField("api_specs", "required")
	}
	nodes := len(c.activeNodes(clientID, q))
	rows := []any{}
	for _, e := range asked {
		spec, isObject := e.(*object)
		if !isObject {
			return reply{}, errField("api_specs", "invalid", e)
		}
		o, found := c.apiSpecs.get(spec.int("id"))
		if !found || o.int("client_id") != clientID {
			continue
		}
		synced := 0
		if c.isSynced(o, spec.get("version")) {
			synced = nodes
		}
		rows = append(rows, obj("id", o.get("id"), "synced_nodes_total", synced))
	}
	return ok(obj("active_nodes_total", nodes, "synced_api_specs", rows)), nil
}

// isSynced tells whether nodes have a version of a spec, or for a nil version
// the one that they are to have.
func (c *Cloud) isSynced(o *object, version any) bool {
	view := c.currentSpec(o)
	if view.str("status") != "ready" {
		return false
	}
	wanted, isInt := asInt(version)
	return !isInt || wanted == view.int("node_sync_version")
}

func (c *Cloud) syncedNodes(q *call) (reply, error) {
	o, err := c.specByPath(q)
	if err != nil {
		return reply{}, err
	}
	synced := c.isSynced(o, q.params.get("version"))
	rows := []any{}
	for _, node := range c.activeNodes(o.int("client_id"), q) {
		row := obj("id", node.get("id"), "hostname", node.get("hostname"), "api_spec_synced", synced, "api_spec_synced_at", nil)
		if at, err := time.Parse(time.RFC3339, c.currentSpec(o).str("last_synced_at")); synced && err == nil {
			row.set("api_spec_synced_at", at.Unix())
		}
		rows = append(rows, row)
	}
	return ok(obj("nodes", rows)), nil
}
