package wallarmtest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

func (c *Cloud) applicationRoutes() []route {
	return []route{
		{
			ids: "infrastructure:AP-1", name: "applications.list", method: http.MethodPost, pattern: "/v1/objects/pool",
			handle: c.listApplications,
		},
		{
			ids: "infrastructure:AP-2", name: "applications.listByQuery", method: http.MethodGet, pattern: "/v1/objects/pool",
			handle: c.listApplications,
		},
		{
			ids: "infrastructure:AP-3", name: "applications.create", method: http.MethodPost, pattern: "/v1/objects/pool/create",
			writes: true, handle: c.createApplication,
		},
		{
			ids: "infrastructure:AP-4", name: "applications.update", method: http.MethodPost, pattern: "/v1/objects/pool/update",
			writes: true, handle: c.updateApplications,
		},
		{
			ids: "infrastructure:AP-5", name: "applications.delete", method: http.MethodPost, pattern: "/v1/objects/pool/delete",
			writes: true, handle: c.deleteApplications,
		},
	}
}

func (c *Cloud) initApplications() { c.applications = c.newTable("applications", "clientid", 1) }

// defaultApplication is the id of the application that each client has.
const defaultApplication int64 = -1

// Ids of applications are unique within a client only, so the key in the
// table is the id where that is free, and else a number beyond all ids.
const foreignApplications = int64(1) << 40

// putApplication stores an application, in place of the one with the same
// client and id if there is one.
func (c *Cloud) putApplication(o *object) {
	t := c.applications
	clientID, id := o.int("clientid"), o.int("id")
	key := id
	for t.rows[key] != nil && (t.rows[key].int("clientid") != clientID || t.rows[key].int("id") != id) {
		key += foreignApplications
	}
	last := t.lastID
	t.put(key, o)
	if key != id {
		t.lastID = last
	}
}

func (c *Cloud) dropApplication(o *object) {
	for key, row := range c.applications.rows {
		if row == o {
			c.applications.remove(key)
			return
		}
	}
}

func (c *Cloud) application(clientID, id int64) *object {
	return c.applications.find(func(o *object) bool { return o.int("clientid") == clientID && o.int("id") == id })
}

var applicationColumns = objectColumns("id:int clientid:int name:string deleted:bool")

// selectApplications adds the default application of each client that the
// caller sees, which need not be stored.
func (c *Cloud) selectApplications(q *call, ownerRequired, writes bool) ([]*object, error) {
	selected, err := q.filterObject(writes)
	if err != nil {
		return nil, err
	}
	if err := q.checkOwner(selected, "clientid", ownerRequired); err != nil {
		return nil, err
	}
	f, err := applicationColumns.compile(selected)
	if err != nil {
		return nil, err
	}
	var rows []*object
	if writes {
		rows = c.applications.seen(q, nil)
	} else {
		rows = c.applications.visible(q)
	}
	for _, client := range c.clients.all() {
		id := client.int("id")
		if q.who.sees(id) && c.application(id, defaultApplication) == nil {
			rows = append(rows, obj("id", defaultApplication, "clientid", id, "name", "default", "deleted", false))
		}
	}
	rows = slices.DeleteFunc(rows, func(o *object) bool { return !f.match(o) })
	slices.SortStableFunc(rows, func(a, b *object) int {
		return cmp.Or(cmp.Compare(a.int("id"), b.int("id")), cmp.Compare(a.int("clientid"), b.int("clientid")))
	})
	return rows, nil
}

func (c *Cloud) listApplications(q *call) (reply, error) {
	rows, err := c.selectApplications(q, false, false)
	if err != nil {
		return reply{}, err
	}
	if text, _ := q.params.get("query").(string); text != "" {
		rows = slices.DeleteFunc(rows, func(o *object) bool {
			return !strings.Contains(o.str("name"), text) && text != string(appendJSON(nil, o.get("id")))
		})
	}
	ordering, err := orderBy(q, objectOrder("id name clientid"), "id", false)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 100, min: 1})
	if err != nil {
		return reply{}, err
	}
	ordering.sort(rows)
	return ok(offsetPage(rows, limit, offset)), nil
}

func (c *Cloud) createApplication(q *call) (reply, error) {
	clientID, err := q.clientParam("clientid", true)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	name, _ := q.params.get("name").(string)
	if strings.TrimSpace(name) == "" {
		errs.add("name", "can't be blank", q.params.get("name"))
	}
	id, isInt := asInt(q.params.get("id"))
	switch v := q.params.get("id"); {
	case v == nil:
		id = 1
		for _, o := range c.applications.all() {
			if o.int("clientid") == clientID {
				id = max(id, o.int("id")+1)
			}
		}
	case !isInt, id < 1 && id != defaultApplication:
		errs.add("id", "invalid", v)
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	if id == defaultApplication || c.application(clientID, id) != nil {
		return reply{}, errAlreadyExists()
	}
	made := obj("id", id, "clientid", clientID, "name", name, "deleted", false)
	c.putApplication(made)
	q.changed("applications", "create", nil, made)
	return ok(made), nil
}

// updateApplications answers null, as the service does at times.
func (c *Cloud) updateApplications(q *call) (reply, error) {
	rows, err := c.selectApplications(q, false, true)
	if err != nil {
		return reply{}, err
	}
	fields := q.params.object("fields")
	name := fields.str("name")
	if strings.TrimSpace(name) == "" {
		return reply{}, errField("name", "can't be blank", fields.get("name"))
	}
	if len(rows) == 0 {
		return ok([]any{}), nil
	}
	for _, before := range rows {
		after := before.clone().set("name", name)
		c.putApplication(after)
		q.changed("applications", "update", before, after)
	}
	return statusNull(), nil
}

// deleteApplications answers the ids that it deleted. The default application
// stays.
func (c *Cloud) deleteApplications(q *call) (reply, error) {
	rows, err := c.selectApplications(q, true, true)
	if err != nil {
		return reply{}, err
	}
	ids := []any{}
	for _, o := range rows {
		if o.int("id") == defaultApplication {
			continue
		}
		c.dropApplication(o)
		q.changed("applications", "delete", o, nil)
		ids = append(ids, o.get("id"))
	}
	return ok(ids), nil
}
