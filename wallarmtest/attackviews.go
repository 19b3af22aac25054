package wallarmtest

import (
	"cmp"
	"net/http"
	"slices"
)

func (c *Cloud) viewRoutes() []route {
	const prefix = "/v1/client/{client_id}/attack-views"
	return []route{
		{ids: "attacks:7", name: "attackViews.list", method: http.MethodGet, pattern: prefix, handle: c.listViews},
		{
			ids: "attacks:8", name: "attackViews.create", method: http.MethodPost, pattern: prefix,
			writes: true, access: accessAnalysts, handle: c.createView,
		},
		{ids: "attacks:9", name: "attackViews.get", method: http.MethodGet, pattern: prefix + "/{id}", handle: c.getView},
		{
			ids: "attacks:10", name: "attackViews.update", method: http.MethodPut, pattern: prefix + "/{id}",
			writes: true, access: accessAnalysts, handle: c.updateView,
		},
		{
			ids: "attacks:11", name: "attackViews.delete", method: http.MethodDelete, pattern: prefix + "/{id}",
			writes: true, access: accessAnalysts, handle: c.deleteView,
		},
		{
			ids: "attacks:12", name: "attackViews.duplicate", method: http.MethodPost, pattern: prefix + "/{id}/duplicate",
			writes: true, access: accessAnalysts, handle: c.duplicateView,
		},
		{
			ids: "attacks:13", name: "attackViews.setDefault", method: http.MethodPost, pattern: prefix + "/{id}/set-default",
			writes: true, access: accessAnalysts, handle: c.setDefaultView,
		},
	}
}

func (c *Cloud) initViews() { c.newTable("attack_views", "client_id", 41) }

// presetView is the view that every client starts with. It is not stored: it
// is the default one as long as the client has chosen no other.
const presetViewID = 1

func (c *Cloud) presetView(clientID int64) *object {
	return obj(
		"id", presetViewID, "name", "All attacks", "config", obj(), "visibility", "org", "is_preset", true,
		"is_default", c.defaultView(clientID) == nil,
	)
}

func (c *Cloud) defaultView(clientID int64) *object {
	return c.tables["attack_views"].find(func(o *object) bool { return o.int("client_id") == clientID && o.bool("is_default") })
}

// organization is the main account of a client.
func (c *Cloud) organization(clientID int64) int64 { return cmp.Or(c.parents[clientID], clientID) }

// showsView tells whether a client sees a stored view: its own, and those for
// the whole organization.
func (c *Cloud) showsView(clientID int64, o *object) bool {
	owner := o.int("client_id")
	return owner == clientID || o.str("visibility") == "org" && c.organization(owner) == c.organization(clientID)
}

// viewOf renders a stored view for a client.
func viewOf(clientID int64, o *object) *object {
	view := o.clone()
	view.del("client_id")
	if o.int("client_id") != clientID {
		view.set("is_default", false)
	}
	return view
}

func (c *Cloud) listViews(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	t := c.tables["attack_views"]
	hidden := t.lags.hidden(q.now)
	list := []any{c.presetView(clientID)}
	for _, o := range t.all() {
		if c.showsView(clientID, o) && !hidden[o.int("id")] {
			list = append(list, viewOf(clientID, o))
		}
	}
	return bare(list), nil
}

// viewParam finds the view of the path. stored is nil for the preset view.
func (c *Cloud) viewParam(q *call) (clientID int64, view, stored *object, err error) {
	if clientID, err = q.pathClient("client_id"); err != nil {
		return 0, nil, nil, err
	}
	id, err := q.pathInt("id")
	if err != nil {
		return 0, nil, nil, err
	}
	if id == presetViewID {
		return clientID, c.presetView(clientID), nil, nil
	}
	o, found := c.tables["attack_views"].get(id)
	if !found || !c.showsView(clientID, o) {
		return 0, nil, nil, errNotFound()
	}
	return clientID, viewOf(clientID, o), o, nil
}

// ownView finds the view of the path for a change, which neither the preset
// view nor that of another client takes.
func (c *Cloud) ownView(q *call) (clientID int64, stored *object, err error) {
	clientID, _, stored, err = c.viewParam(q)
	if err == nil && (stored == nil || stored.bool("is_preset") || stored.int("client_id") != clientID) {
		err = errForbidden()
	}
	return clientID, stored, err
}

func (c *Cloud) getView(q *call) (reply, error) {
	_, view, _, err := c.viewParam(q)
	return bare(view), err
}

// viewFields checks the members of a view that the request has.
func (q *call) viewFields(required ...string) (*object, error) {
	var errs fieldErrors
	fields := obj()
	for _, name := range []string{"name", "description", "config", "visibility"} {
		v, sent := q.params.lookup(name)
		if !sent {
			if slices.Contains(required, name) {
				errs.addRule(name, "required", name+" is required")
			}
			continue
		}
		_, isText := v.(string)
		_, isObject := v.(*object)
		valid := isText
		switch name {
		case "name":
			valid = isText && v != ""
		case "description":
			valid = isText || v == nil
		case "config":
			valid = isObject
		case "visibility":
			valid = v == "tenant" || v == "org"
		}
		if !valid {
			errs.addRule(name, "invalid", name+" is invalid")
		}
		fields.set(name, v)
	}
	return fields, errs.err()
}

func (c *Cloud) createView(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	fields, err := q.viewFields("name", "config")
	if err != nil {
		return reply{}, err
	}
	return c.storeView(q, clientID, fields), nil
}

func (c *Cloud) storeView(q *call, clientID int64, fields *object) reply {
	now := isoTime(q.now.Unix())
	o := obj("name", fields.get("name"))
	if fields.get("description") != nil {
		o.set("description", fields.get("description"))
	}
	o = c.tables["attack_views"].insert(o.merge(obj(
		"config", fields.get("config"), "visibility", cmp.Or(fields.str("visibility"), "tenant"), "is_preset", false, "is_default", false,
		"created_at", now, "updated_at", now, "client_id", clientID,
	)))
	q.changed("attack_views", "create", nil, o)
	return bare(viewOf(clientID, o)).withStatusOnly(http.StatusCreated)
}

func (c *Cloud) updateView(q *call) (reply, error) {
	clientID, stored, err := c.ownView(q)
	if err != nil {
		return reply{}, err
	}
	fields, err := q.viewFields()
	if err != nil {
		return reply{}, err
	}
	if v := fields.get("visibility"); v != nil && v != stored.get("visibility") {
		return reply{}, errRule("visibility", "immutable", "visibility cannot be changed")
	}
	fields.set("updated_at", isoTime(q.now.Unix()))
	changed := c.tables["attack_views"].update(stored, fields)
	q.changed("attack_views", "update", stored, changed)
	return bare(viewOf(clientID, changed)), nil
}

func (c *Cloud) deleteView(q *call) (reply, error) {
	_, stored, err := c.ownView(q)
	if err != nil {
		return reply{}, err
	}
	c.tables["attack_views"].remove(stored.int("id"))
	q.changed("attack_views", "delete", stored, nil)
	return noBody(http.StatusNoContent), nil
}

// duplicateView copies a view, the preset one too, for the client alone.
func (c *Cloud) duplicateView(q *call) (reply, error) {
	clientID, view, _, err := c.viewParam(q)
	if err != nil {
		return reply{}, err
	}
	fields, err := q.viewFields("name")
	if err != nil {
		return reply{}, err
	}
	copied := view.clone()
	copied.set("name", fields.get("name"))
	copied.del("visibility")
	return c.storeView(q, clientID, copied), nil
}

func (c *Cloud) setDefaultView(q *call) (reply, error) {
	clientID, view, stored, err := c.viewParam(q)
	if err != nil {
		return reply{}, err
	}
	if stored != nil && stored.int("client_id") != clientID {
		return reply{}, errForbidden()
	}
	t := c.tables["attack_views"]
	if before := c.defaultView(clientID); before != nil {
		t.update(before, obj("is_default", false))
	}
	if stored != nil {
		current, _ := t.get(view.int("id"))
		changed := t.update(current, obj("is_default", true))
		q.changed("attack_views", "update", stored, changed)
	}
	return noBody(http.StatusNoContent), nil
}
