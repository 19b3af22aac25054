package wallarmtest

import (
	"net/http"
	"strings"
)

func (c *Cloud) nodeRoutes() []route {
	return []route{
		{
			ids: "infrastructure:ND-1", name: "nodes.list", method: http.MethodGet, pattern: "/v2/node",
			handle: c.listNodes,
		},
		{
			ids: "infrastructure:ND-2", name: "nodes.create", method: http.MethodPost, pattern: "/v2/node",
			writes: true, handle: c.createNode,
		},
		{
			ids: "infrastructure:ND-3", name: "nodes.update", method: http.MethodPut, pattern: "/v2/node/{id}",
			writes: true, handle: c.updateNode,
		},
		{
			ids: "infrastructure:ND-4", name: "nodes.delete", method: http.MethodDelete, pattern: "/v2/node/{id}",
			writes: true, handle: c.deleteNode,
		},
		{
			ids: "infrastructure:ND-5", name: "nodes.listByActivity", method: http.MethodGet, pattern: "/v3/node",
			handle: c.listNodesByActivity,
		},
		{
			ids: "infrastructure:ND-6", name: "nodes.listV1", method: http.MethodPost, pattern: "/v1/objects/node",
			handle: c.listNodesV1,
		},
		{
			ids: "infrastructure:ND-8", name: "nodes.updateV1", method: http.MethodPost, pattern: "/v1/objects/node/update",
			writes: true, handle: c.updateNodesV1,
		},
	}
}

// initNodes starts ids above 32 bits, as those of the service are.
func (c *Cloud) initNodes() { c.nodes = c.newTable("nodes", "clientid", 10444555001) }

// nodeListing is the list of the second and third generation.
var nodeListing = listing{
	columns: objectColumns("clientid:int type:string active:bool enabled:bool uuid:string hostname:string cloud_node_id:int"),
	order:   objectOrder("id uuid ip hostname"),
	orderBy: "id",
	paging:  paging{limit: 100, min: 1},
}

// selectNodes hides the instances of groups unless they are asked for, and
// reads the parameter query.
func selectNodes(l listing) listing {
	l.hide = func(q *call, node *object) bool {
		filter := q.params.object("filter")
		all, _ := asBool(q.params.get("all_types"))
		if node.str("type") == "node_instance" && !all && !filter.has("type") {
			return true
		}
		text, _ := q.params.get("query").(string)
		return text != "" && text != node.str("ip") && text != node.str("uuid") && !strings.Contains(node.str("hostname"), text)
	}
	return l
}

func (c *Cloud) listNodes(q *call) (reply, error) {
	rows, err := c.nodes.list(q, selectNodes(nodeListing))
	return ok(nodeViews(q, rows)), err
}

func (c *Cloud) listNodesByActivity(q *call) (reply, error) {
	l := selectNodes(nodeListing)
	l.order = objectOrder("id uuid ip hostname last_activity active")
	rows, err := c.nodes.selectRows(q, l)
	if err != nil {
		return reply{}, err
	}
	ordering, err := orderBy(q, l.order, l.orderBy, false)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(l.paging)
	if err != nil {
		return reply{}, err
	}
	ordering.sort(rows)
	return bare(nextOffsetPage(nodeViews(q, rows), limit, offset)), nil
}

// nodeViews shows the token of a group to administrators only.
func nodeViews(q *call, rows []*object) []*object {
	admin := q.who.may(&route{access: accessAdmins})
	out := make([]*object, len(rows))
	for i, node := range rows {
		out[i] = node
		if !admin || node.str("type") != "cloud_node" {
			out[i] = node.clone()
			out[i].del("token")
		}
	}
	return out
}

var nodeTypes = map[string]bool{
	"node": true, "cloud_node": true, "partner_node": true, "fast_node": true, "cdn_node": true,
}

func (c *Cloud) createNode(q *call) (reply, error) {
	clientID, err := q.clientParam("clientid", false)
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	hostname, isString := q.params.get("hostname").(string)
	if !isString || strings.TrimSpace(hostname) == "" {
		errs.add("hostname", "can't be blank", q.params.get("hostname"))
	}
	kind := "node"
	if v := q.params.get("type"); v != nil {
		if kind, _ = v.(string); !nodeTypes[kind] {
			errs.add("type", "invalid", v)
		}
	}
	partner, isBool := asBool(q.params.get("partner_mode"))
	if v := q.params.get("partner_mode"); v != nil && !isBool {
		errs.add("partner_mode", "must be boolean", v)
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	if partner && !q.who.global() {
		return reply{}, errForbidden()
	}
	if c.nodeNamed(clientID, hostname) != nil {
		return reply{}, errAlreadyExists()
	}
	node := obj(
		"type", kind, "id", c.nodes.nextID(), "uuid", c.uuid(), "ip", nil, "hostname", hostname, "last_activity", nil,
		"enabled", true, "clientid", clientID, "last_analytic", nil, "create_time", q.now.Unix(), "create_from", "192.0.2.21",
		"protondb_version", nil, "lom_version", nil, "protondb_updated_at", nil, "lom_updated_at", nil,
		"node_env_params", obj("packages", obj()), "active", false,
	)
	if kind == "cloud_node" {
		node.set("instance_count", 0).set("active_instance_count", 0).set("token", c.hex(64))
	}
	node.set("partner_mode", partner)
	q.changed("nodes", "create", nil, node)
	// The answer has the secret and no counter of requests; lists have it the other way round.
	answer := node.clone().set("secret", c.hex(64))
	c.nodes.insert(node.set("requests_amount", 0))
	return ok(answer), nil
}

func (c *Cloud) nodeNamed(clientID int64, hostname string) *object {
	return c.nodes.find(func(o *object) bool {
		return o.int("clientid") == clientID && o.str("hostname") == hostname && o.str("type") != "node_instance"
	})
}

// nodeByPath is byPath with the 404 that this family has.
func (c *Cloud) nodeByPath(q *call) (*object, error) {
	node, err := c.nodes.byPath(q, "id")
	if err == nil {
		return node, nil
	}
	if id, idErr := q.pathInt("id"); idErr == nil {
		return nil, errInner(http.StatusNotFound, "node not found", id)
	}
	return nil, err
}

// updateNode takes the parameter partner_node that the console description
// requires, and partner_mode, which its text speaks of.
func (c *Cloud) updateNode(q *call) (reply, error) {
	node, err := c.nodeByPath(q)
	if err != nil {
		return reply{}, err
	}
	changes := obj()
	mode := q.params.get("partner_node")
	if mode == nil {
		mode = q.params.get("partner_mode")
	}
	var errs fieldErrors
	partner, isBool := asBool(mode)
	switch {
	case mode == nil:
		errs.add("partner_node", "required")
	case !isBool:
		errs.add("partner_node", "must be boolean", mode)
	}
	changes.set("partner_mode", partner)
	if v := q.params.get("hostname"); v != nil {
		hostname, _ := v.(string)
		if strings.TrimSpace(hostname) == "" {
			errs.add("hostname", "can't be blank", v)
		}
		changes.set("hostname", hostname)
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	if partner != node.bool("partner_mode") && !q.who.global() {
		return reply{}, errForbidden()
	}
	if hostname := changes.str("hostname"); hostname != "" && hostname != node.str("hostname") {
		if c.nodeNamed(node.int("clientid"), hostname) != nil {
			return reply{}, errAlreadyExists()
		}
	}
	changed := c.nodes.update(node, changes)
	q.changed("nodes", "update", node, changed)
	return ok(nodeViews(q, []*object{changed})[0]), nil
}

// deleteNode answers the deleted node, its token included.
func (c *Cloud) deleteNode(q *call) (reply, error) {
	node, err := c.nodeByPath(q)
	if err != nil {
		return reply{}, err
	}
	c.nodes.remove(node.int("id"))
	q.changed("nodes", "delete", node, nil)
	return ok(node), nil
}

var nodeListingV1 = listing{
	columns: objectColumns("uuid:string ip:string hostname:string"),
	order:   nodeOrderV1(),
	orderBy: "uuid",
	paging:  paging{limit: 100, min: 1},
}

func nodeOrderV1() map[string]func(*object) value {
	known := objectOrder("uuid ip hostname")
	known["id"] = known["uuid"]
	return known
}

// nodeViewV1 is a node of the first generation: its id is the uuid.
func nodeViewV1(node *object) *object {
	view := obj("id", node.get("uuid"))
	for _, m := range node.members {
		switch m.name {
		case "id", "uuid", "token", "instance_count", "active_instance_count", "partner_mode", "cloud_node_id":
		default:
			view.set(m.name, m.value)
		}
	}
	return view
}

func nodeViewsV1(rows []*object) []*object {
	out := make([]*object, len(rows))
	for i, node := range rows {
		out[i] = nodeViewV1(node)
	}
	return out
}

// listNodesV1 answers 404 to a condition that nothing meets, as recorded
// answers of the service do.
func (c *Cloud) listNodesV1(q *call) (reply, error) {
	rows, err := c.nodes.selectRows(q, nodeListingV1)
	if err != nil {
		return reply{}, err
	}
	if filter := q.params.object("filter"); len(rows) == 0 && filter != nil && len(filter.members) > 0 {
		return reply{}, errInner(http.StatusNotFound, "node not found")
	}
	if rows, err = c.nodes.list(q, nodeListingV1); err != nil {
		return reply{}, err
	}
	return ok(nodeViewsV1(rows)), nil
}

func (c *Cloud) updateNodesV1(q *call) (reply, error) {
	fields := q.params.object("fields")
	if fields == nil {
		return reply{}, errField("fields", "required")
	}
	changes := obj()
	var errs fieldErrors
	for _, m := range fields.members {
		switch m.name {
		case "hostname":
			if s, isString := m.value.(string); !isString || strings.TrimSpace(s) == "" {
				errs.add("hostname", "can't be blank", m.value)
			}
		case "enabled":
			if _, isBool := m.value.(bool); !isBool {
				errs.add("enabled", "must be boolean", m.value)
			}
		default:
			errs.add(m.name, "not allowed", m.value)
		}
		changes.set(m.name, m.value)
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	l := nodeListingV1
	l.filterRequired, l.writes = true, true
	rows, err := c.nodes.list(q, l)
	if err != nil {
		return reply{}, err
	}
	for i, node := range rows {
		rows[i] = c.nodes.update(node, changes)
		q.changed("nodes", "update", node, rows[i])
	}
	return ok(nodeViewsV1(rows)), nil
}
