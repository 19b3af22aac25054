package wallarmtest

import (
	"net/http"
	"slices"
	"strings"
)

func (c *Cloud) partnerRoutes() []route {
	const links, groups = "/v2/partner/{partner_id}/partner_client", "/v2/partners/{partner_id}/groups"
	return []route{
		{
			ids: "accounts:CL-8", name: "clients.links", method: http.MethodGet, pattern: "/v2/partner_client",
			handle: c.listLinks,
		},
		{ids: "accounts:CL-9", name: "clients.linksOfPartner", method: http.MethodGet, pattern: links, handle: c.listLinksOfPartner},
		{
			ids: "accounts:CL-10", name: "clients.createLink", method: http.MethodPost, pattern: links,
			writes: true, handle: c.createLink,
		},
		{ids: "accounts:CL-11", name: "clients.getLink", method: http.MethodGet, pattern: links + "/{id}", handle: c.getLink},
		{
			ids: "accounts:CL-12", name: "clients.updateLink", method: http.MethodPut, pattern: links + "/{id}",
			writes: true, handle: c.updateLink,
		},
		{
			ids: "accounts:CL-13", name: "clients.deleteLink", method: http.MethodDelete, pattern: links + "/{id}",
			writes: true, handle: c.deleteLink,
		},
		{ids: "accounts:CL-19c", name: "clients.groups", method: http.MethodGet, pattern: groups, handle: c.listGroups},
		{
			ids: "accounts:CL-19d", name: "clients.createGroup", method: http.MethodPost, pattern: groups,
			writes: true, handle: c.createGroup,
		},
		{
			ids: "accounts:CL-19e", name: "clients.updateGroup", method: http.MethodPut, pattern: groups + "/{id}",
			writes: true, handle: c.updateGroup,
		},
		{
			ids: "accounts:CL-19f", name: "clients.deleteGroup", method: http.MethodDelete, pattern: groups + "/{id}",
			writes: true, handle: c.deleteGroup,
		},
		{
			ids: "accounts:CL-19g", name: "clients.groupClients", method: http.MethodGet, pattern: groups + "/{group_id}/clients",
			handle: c.listGroupClients,
		},
		{
			ids: "accounts:CL-19h", name: "clients.addGroupClients", method: http.MethodPost,
			pattern: groups + "/{group_id}/clients", writes: true, handle: c.addGroupClients,
		},
		{
			ids: "accounts:CL-19i", name: "clients.removeGroupClient", method: http.MethodDelete,
			pattern: groups + "/{group_id}/clients/{client_id}", writes: true, handle: c.removeGroupClient,
		},
	}
}

// linkTenant puts a client below a main account. The state lock is held.
func (c *Cloud) linkTenant(partnerID, clientID int64, params any) *object {
	c.parents[clientID] = partnerID
	return c.admin.links.insert(obj("partnerid", partnerID, "clientid", clientID, "params", params))
}

// unlinkTenant takes a client out from below its main account, and out of the
// groups of that.
func (c *Cloud) unlinkTenant(link *object) {
	id := link.int("clientid")
	c.admin.links.remove(link.int("id"))
	delete(c.parents, id)
	if client, found := c.clients.get(id); found {
		changed := client.clone()
		changed.del("partnerid")
		c.clients.put(id, changed)
	}
	for group, members := range c.admin.members {
		if i, member := slices.BinarySearch(members, id); member {
			c.admin.members[group] = slices.Delete(slices.Clone(members), i, i+1)
		}
	}
}

// idSet reads ids that travel as name=1 or name[]=1; without any it is the
// list that the route takes instead.
func idSet(q *call, name string, without ...int64) ([]int64, error) {
	var out []int64
	for _, e := range asList(q.params.get(name)) {
		id, isInt := asInt(e)
		if !isInt {
			return nil, errField(name, "invalid", e)
		}
		out = append(out, id)
	}
	if out == nil {
		out = without
	}
	return out, nil
}

// listLinks answers without a status. Without a partner it looks for partner
// 1, as the description of the API has it.
func (c *Cloud) listLinks(q *call) (reply, error) {
	own, err := q.partner()
	if err != nil {
		return reply{}, err
	}
	partners, err := idSet(q, "partnerid", 1)
	if err != nil {
		return reply{}, err
	}
	clients, err := idSet(q, "clientid")
	if err != nil {
		return reply{}, err
	}
	return c.linkPage(q, func(o *object) bool {
		return o.int("partnerid") == own && slices.Contains(partners, own) &&
			(clients == nil || slices.Contains(clients, o.int("clientid")))
	})
}

func (c *Cloud) listLinksOfPartner(q *call) (reply, error) {
	own, err := q.pathPartner()
	if err != nil {
		return reply{}, err
	}
	return c.linkPage(q, func(o *object) bool { return o.int("partnerid") == own })
}

func (c *Cloud) linkPage(q *call, keep func(*object) bool) (reply, error) {
	limit, offset, err := q.limits(paging{limit: 1000})
	if err != nil {
		return reply{}, err
	}
	rows := slices.DeleteFunc(c.admin.links.visible(q), func(o *object) bool { return !keep(o) })
	return bodyOnly(offsetPage(rows, limit, offset)), nil
}

// link finds the link in the path.
func (c *Cloud) link(q *call) (*object, error) {
	own, err := q.pathPartner()
	if err != nil {
		return nil, err
	}
	link, err := c.admin.links.byPath(q, "id")
	if err != nil || link.int("partnerid") != own {
		return nil, errNotFound()
	}
	return link, nil
}

func (c *Cloud) getLink(q *call) (reply, error) {
	link, err := c.link(q)
	return bodyOnly(link), err
}

// linkable checks the client that a link is to name: one that is there, and
// below no main account.
func (c *Cloud) linkable(q *call, own int64) (int64, error) {
	v := q.params.get("clientid")
	id, isInt := asInt(v)
	switch {
	case v == nil:
		return 0, errField("clientid", "required")
	case !isInt:
		return 0, errField("clientid", "invalid", v)
	case id == own:
		return 0, errField("clientid", "invalid", v)
	}
	if _, found := c.clients.get(id); !found {
		return 0, errNotFound()
	}
	if c.parents[id] != 0 {
		return 0, errTaken
	}
	return id, nil
}

// linkParams checks the params of a link: any object, or null.
func linkParams(q *call) (any, error) {
	v := q.params.get("params")
	if _, isObject := v.(*object); v != nil && !isObject {
		return nil, errField("params", "invalid", v)
	}
	return v, nil
}

func (c *Cloud) createLink(q *call) (reply, error) {
	own, err := q.pathPartner()
	if err != nil {
		return reply{}, err
	}
	params, err := linkParams(q)
	if err != nil {
		return reply{}, err
	}
	id, err := c.linkable(q, own)
	if err != nil {
		return reply{}, err
	}
	link := c.linkTenant(own, id, params)
	q.changed("partner_links", "create", nil, link)
	return bodyOnly(link), nil
}

func (c *Cloud) updateLink(q *call) (reply, error) {
	before, err := c.link(q)
	if err != nil {
		return reply{}, err
	}
	changes := obj()
	if q.params.has("params") {
		params, err := linkParams(q)
		if err != nil {
			return reply{}, err
		}
		changes.set("params", params)
	}
	if id, sent := asInt(q.params.get("clientid")); q.params.has("clientid") && !(sent && id == before.int("clientid")) {
		id, err := c.linkable(q, before.int("partnerid"))
		if err != nil {
			return reply{}, err
		}
		delete(c.parents, before.int("clientid"))
		c.parents[id] = before.int("partnerid")
		changes.set("clientid", id)
	}
	after := c.admin.links.update(before, changes)
	q.changed("partner_links", "update", before, after)
	return bodyOnly(after), nil
}

// deleteLink answers the link that is gone.
func (c *Cloud) deleteLink(q *call) (reply, error) {
	link, err := c.link(q)
	if err != nil {
		return reply{}, err
	}
	c.unlinkTenant(link)
	q.changed("partner_links", "delete", link, nil)
	return bodyOnly(link), nil
}

// group finds the tenant group in the path.
func (c *Cloud) group(q *call, param string) (*object, error) {
	own, err := q.pathPartner()
	if err != nil {
		return nil, err
	}
	group, err := c.admin.groups.byPath(q, param)
	if err != nil || group.int("partner_id") != own {
		return nil, errNotFound()
	}
	return group, nil
}

// groupView adds the number of members.
func (c *Cloud) groupView(o *object) *object {
	return o.clone().set("client_count", len(c.admin.members[o.int("id")]))
}

// listGroups answers a bare array.
func (c *Cloud) listGroups(q *call) (reply, error) {
	own, err := q.pathPartner()
	if err != nil {
		return reply{}, err
	}
	ordering, err := orderBy(q, objectOrder("id name client_count"), "id", false)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 100})
	if err != nil {
		return reply{}, err
	}
	text := strings.ToLower(q.params.str("query"))
	rows := []*object{}
	for _, o := range c.admin.groups.visible(q) {
		if o.int("partner_id") == own && strings.Contains(strings.ToLower(o.str("name")), text) {
			rows = append(rows, c.groupView(o))
		}
	}
	ordering.sort(rows)
	return bare(offsetPage(rows, limit, offset)), nil
}

func checkGroup(q *call, required bool) (*object, error) {
	var errs fieldErrors
	if required || q.params.has("name") {
		wantTexts(q.params, &errs, true, "name")
	}
	fields := pickMembers(q.params, "name")
	if v, sent := q.params.lookup("roles"); sent {
		roles := stringsOf(v)
		if len(roles) != len(asList(v)) {
			errs.add("roles", "invalid", v)
		}
		fields.set("roles", anyList(roles))
	}
	return fields, errs.err()
}

func (c *Cloud) createGroup(q *call) (reply, error) {
	own, err := q.pathPartner()
	if err != nil {
		return reply{}, err
	}
	fields, err := checkGroup(q, true)
	if err != nil {
		return reply{}, err
	}
	group := c.admin.groups.insert(obj("partner_id", own, "name", "", "roles", []any{}, "auto_created", false, "global", false).merge(fields))
	q.changed("tenant_groups", "create", nil, group)
	return bare(c.groupView(group)), nil
}

func (c *Cloud) updateGroup(q *call) (reply, error) {
	before, err := c.group(q, "id")
	if err != nil {
		return reply{}, err
	}
	fields, err := checkGroup(q, false)
	if err != nil {
		return reply{}, err
	}
	after := c.admin.groups.update(before, fields)
	q.changed("tenant_groups", "update", before, after)
	return bare(c.groupView(after)), nil
}

// deleteGroup answers the group that is gone.
func (c *Cloud) deleteGroup(q *call) (reply, error) {
	group, err := c.group(q, "id")
	if err != nil {
		return reply{}, err
	}
	view := c.groupView(group)
	c.admin.groups.remove(group.int("id"))
	delete(c.admin.members, group.int("id"))
	q.changed("tenant_groups", "delete", group, nil)
	return bare(view), nil
}

// listGroupClients answers a bare array of client ids.
func (c *Cloud) listGroupClients(q *call) (reply, error) {
	group, err := c.group(q, "group_id")
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 100})
	if err != nil {
		return reply{}, err
	}
	return bare(anyList(offsetPage(c.admin.members[group.int("id")], limit, offset))), nil
}

func (c *Cloud) addGroupClients(q *call) (reply, error) {
	group, err := c.group(q, "group_id")
	if err != nil {
		return reply{}, err
	}
	added, err := idSet(q, "client_ids")
	if err != nil {
		return reply{}, err
	}
	if len(added) == 0 {
		return reply{}, errField("client_ids", "required")
	}
	members := slices.Clone(c.admin.members[group.int("id")])
	for _, id := range added {
		if c.parents[id] != group.int("partner_id") {
			return reply{}, errNotFound()
		}
		if i, member := slices.BinarySearch(members, id); !member {
			members = slices.Insert(members, i, id)
		}
	}
	c.admin.members[group.int("id")] = members
	return bare(obj("client_ids", anyList(added))), nil
}

func (c *Cloud) removeGroupClient(q *call) (reply, error) {
	group, err := c.group(q, "group_id")
	if err != nil {
		return reply{}, err
	}
	id, err := q.pathInt("client_id")
	if err != nil {
		return reply{}, err
	}
	members := c.admin.members[group.int("id")]
	i, member := slices.BinarySearch(members, id)
	if !member {
		return reply{}, errNotFound()
	}
	c.admin.members[group.int("id")] = slices.Delete(slices.Clone(members), i, i+1)
	return bare(obj("client_ids", []any{id})), nil
}
