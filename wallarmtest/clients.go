package wallarmtest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

func (c *Cloud) clientRoutes() []route {
	return []route{
		{
			ids: "accounts:CL-1", name: "clients.listByQuery", method: http.MethodGet, pattern: "/v1/objects/client",
			handle: c.listClients,
		},
		{
			ids: "accounts:CL-2", name: "clients.list", method: http.MethodPost, pattern: "/v1/objects/client",
			handle: c.listClients,
		},
		{
			ids: "accounts:CL-3", name: "clients.create", method: http.MethodPost, pattern: "/v1/objects/client/create",
			writes: true, handle: c.createClient,
		},
		{
			ids: "accounts:CL-4", name: "clients.update", method: http.MethodPost, pattern: "/v1/objects/client/update",
			writes: true, handle: c.updateClients,
		},
		{
			ids: "accounts:CL-5", name: "clients.delete", method: http.MethodPost, pattern: "/v1/objects/client/delete",
			writes: true, handle: c.deleteClients,
		},
		{
			ids: "accounts:BG-1", name: "clients.subscriptions", method: http.MethodGet,
			pattern: "/v1/clients/{client_id}/billing/subscriptions", handle: c.listSubscriptions,
		},
	}
}

var clientColumns = objectColumns(
	"id:int enabled:bool name:string uuid:string scanner_mode:string qrator_blacklists:bool last_scan:int")

// hiddenClient leaves clients of others out. Naming one is no error: it is just
// not there, like one that has been deleted.
func hiddenClient(q *call, o *object) bool { return !q.who.sees(o.int("id")) }

// partnerUUID is the one that tenants of a main account are made with.
func partnerUUID(partnerID int64) string {
	return fmt.Sprintf("00000000-0000-4000-9000-%012d", partnerID)
}

// clientView adds what follows from the place of a client among the others.
// A main account is the partner of its own record.
func (c *Cloud) clientView(o *object) *object {
	id := o.int("id")
	partner := id
	if parent := c.parents[id]; parent != 0 {
		partner = parent
	}
	technical := slices.ContainsFunc(c.admin.links.all(), func(link *object) bool { return link.int("partnerid") == id })
	return o.clone().setDefault("partnerid", partner).setDefault("partner_uuid", partnerUUID(partner)).
		setDefault("is_technical", technical)
}

func (c *Cloud) clientViews(rows []*object) []*object {
	out := make([]*object, len(rows))
	for i, o := range rows {
		out[i] = c.clientView(o)
	}
	return out
}

func (c *Cloud) listClients(q *call) (reply, error) {
	rows, err := c.clients.list(q, listing{
		columns: clientColumns, order: objectOrder("id name"), orderBy: "id", paging: paging{limit: 100},
		hide: hiddenClient,
	})
	return ok(c.clientViews(rows)), err
}

// createClient makes a tenant of the caller's main account.
func (c *Cloud) createClient(q *call) (reply, error) {
	partner, err := q.partner()
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	wantTexts(q.params, &errs, true, "name", "partner_uuid")
	checkClientFields(q.params, &errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	own, _ := c.clients.get(partner)
	if q.params.str("partner_uuid") != c.clientView(own).str("partner_uuid") {
		return reply{}, errForbidden()
	}
	if c.clientNamed(partner, q.params.str("name"), 0) {
		return reply{}, errAlreadyExists()
	}
	made := c.insertClient(Client{Name: q.params.str("name"), Parent: partner})
	made = c.clients.update(made, pickMembers(q.params, clientFields...))
	q.changed("clients", "create", nil, made)
	return ok(c.clientView(made)), nil
}

// clientNamed tells whether a client of the partner but this one has a name.
func (c *Cloud) clientNamed(partner int64, name string, but int64) bool {
	return c.clients.find(func(o *object) bool {
		id := o.int("id")
		return id != but && o.str("name") == name && (id == partner || c.parents[id] == partner)
	}) != nil
}

// clientFields are the members that an update may set.
var clientFields = []string{
	"name", "enabled", "attack_rechecker_mode", "language", "notifications", "blocking_type", "qrator_blacklists", "blacklist_hints",
	"partner_scheme", "scanner_mode", "scanner_state", "primary_clientid",
}

// checkClientFields refuses vuln_prefix: the API has no such field any more,
// whatever its documentation says.
func checkClientFields(fields *object, errs *fieldErrors) {
	if v, sent := fields.lookup("vuln_prefix"); sent {
		errs.add("vuln_prefix", "invalid", v)
	}
	wantBools(fields, errs, "enabled", "qrator_blacklists", "blacklist_hints", "partner_scheme")
	wantOneOf(fields, errs, "attack_rechecker_mode", "on", "off")
	wantOneOf(fields, errs, "blocking_type", "incidents", "aggressive")
	wantOneOf(fields, errs, "scanner_mode", "off", "classic")
	wantTexts(fields, errs, false, "language")
	for _, name := range []string{"notifications", "scanner_state"} {
		if v, sent := fields.lookup(name); sent && fields.object(name) == nil {
			errs.add(name, "invalid", v)
		}
	}
}

// changingClients are the clients that a write by filter touches: 100 of
// them when the request has no limit.
func (c *Cloud) changingClients(q *call) ([]*object, error) {
	return c.clients.list(q, listing{
		columns: clientColumns, order: objectOrder("id name"), orderBy: "id", paging: paging{limit: 100},
		hide: hiddenClient, filterRequired: true, writes: true,
	})
}

func (c *Cloud) updateClients(q *call) (reply, error) {
	fields, err := updateFields(q)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	checkClientFields(fields, &errs)
	if fields.has("name") {
		wantTexts(fields, &errs, true, "name")
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	rows, err := c.changingClients(q)
	if err != nil {
		return reply{}, err
	}
	for _, o := range rows {
		id := o.int("id")
		partner := id
		if parent := c.parents[id]; parent != 0 {
			partner = parent
		}
		if fields.has("name") && (len(rows) > 1 || c.clientNamed(partner, fields.str("name"), id)) {
			return reply{}, errAlreadyExists()
		}
	}
	changed := make([]*object, len(rows))
	for i, before := range rows {
		changed[i] = c.clients.update(before, pickMembers(fields, clientFields...))
		q.changed("clients", "update", before, changed[i])
	}
	return ok(c.clientViews(changed)), nil
}

// deleteClients deletes tenants with all they have. Nobody deletes the
// account that the call is made with.
func (c *Cloud) deleteClients(q *call) (reply, error) {
	if _, err := q.partner(); err != nil {
		return reply{}, err
	}
	rows, err := c.changingClients(q)
	if err != nil {
		return reply{}, err
	}
	for _, client := range rows {
		if client.int("id") == q.who.clientID {
			return reply{}, errForbidden()
		}
	}
	for _, client := range rows {
		id := client.int("id")
		q.changed("clients", "delete", client, nil)
		for _, user := range c.users.all() {
			if user.int("clientid") == id {
				c.removeUser(user)
			}
		}
		for _, link := range c.admin.links.all() {
			if link.int("clientid") == id {
				c.unlinkTenant(link)
			}
		}
		for _, t := range []*table{c.admin.tokens, c.admin.subscriptions, c.admin.invitations} {
			for _, o := range t.all() {
				if o.int("client_id") == id {
					t.remove(o.int("id"))
				}
			}
		}
		for key, cred := range c.credentials {
			if cred.clientID == id {
				delete(c.credentials, key)
			}
		}
		c.clients.remove(id)
	}
	return ok(idsOf(rows)), nil
}

// subscribe gives a client a subscription. The state lock is held.
func (c *Cloud) subscribe(clientID int64) {
	start := c.Now().UTC()
	c.admin.subscriptions.insert(obj(
		"client_id", clientID, "plan_id", 1, "type", "paid", "state", "active",
		"start_on", start.Format(time.DateOnly), "finish_on", start.AddDate(1, 0, 0).Format(time.DateOnly),
		"position", nil, "properties", nil, "features", []any{},
	))
}

// listSubscriptions answers a bare array.
func (c *Cloud) listSubscriptions(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	return bare(slices.DeleteFunc(c.admin.subscriptions.visible(q), func(o *object) bool {
		return o.int("client_id") != clientID
	})), nil
}
