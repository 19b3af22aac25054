package wallarmtest

import (
	"net/http"
	"time"
)

func (c *Cloud) snapshotRoutes() []route {
	const base = "/v4/clients/{client_id}/rules/snapshots"
	return []route{
		{ids: "rules:34", name: "snapshots.list", method: http.MethodGet, pattern: base, handle: c.listSnapshots},
		{ids: "rules:35", name: "snapshots.create", method: http.MethodPost, pattern: base, writes: true, handle: c.createSnapshot},
		{ids: "rules:36", name: "snapshots.get", method: http.MethodGet, pattern: base + "/{id}", handle: c.getSnapshot},
		{ids: "rules:37", name: "snapshots.update", method: http.MethodPut, pattern: base + "/{id}", writes: true, handle: c.updateSnapshot},
		{ids: "rules:38", name: "snapshots.delete", method: http.MethodDelete, pattern: base + "/{id}", writes: true, handle: c.deleteSnapshot},
		{ids: "rules:39", name: "snapshots.status", method: http.MethodGet, pattern: base + "/status", handle: c.snapshotStatus},
		{
			ids: "rules:40", name: "snapshots.restore", method: http.MethodPost, pattern: base + "/{id}/restore",
			writes: true, handle: c.restoreSnapshot,
		},
	}
}

// snapshotTime is how long a snapshot takes on the clock of the cloud, and a
// restore too. Rules are locked meanwhile.
const snapshotTime = 2 * time.Second

// initSnapshots makes the tables of snapshots, whose member rules no answer
// shows, and of the work on them, one object for each client.
func (c *Cloud) initSnapshots() {
	c.snapshots = c.newTable("snapshots", "client_id", 301)
	c.snapshotWork = c.newTable("snapshot_work", "client_id", 1801)
}

// working returns the work on the snapshots of a client, nil when none goes
// on.
func (c *Cloud) working(clientID int64) *object {
	if work := c.snapshotWork.ofClient(clientID); work != nil && c.Now().UnixMilli() < work.int("until_ms") {
		return work
	}
	return nil
}

func (c *Cloud) startWork(snapshot *object, status string) {
	c.snapshotWork.setClient(snapshot.int("client_id"), obj(
		"snapshot_id", snapshot.int("id"), "status", status, "until_ms", c.Now().Add(snapshotTime).UnixMilli(),
	))
}

// rulesStatus says what is going on with the rules of a client.
func (c *Cloud) rulesStatus(clientID int64) string {
	if work := c.working(clientID); work != nil {
		return work.str("status")
	}
	if c.Now().Before(c.ruleLocks.until) {
		return "backup"
	}
	return "ready"
}

// snapshotView is a snapshot as answers have it: without what it holds, and
// with a status that follows the clock.
func (c *Cloud) snapshotView(o *object) *object {
	o = o.clone()
	o.del("rules")
	if work := c.working(o.int("client_id")); work != nil && work.int("snapshot_id") == o.int("id") {
		o.set("status", work.get("status"))
	}
	return o
}

func (c *Cloud) snapshotByPath(q *call) (*object, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return nil, err
	}
	o, err := c.snapshots.byPath(q, "id")
	if err == nil && o.int("client_id") != clientID {
		return nil, errNotFound()
	}
	return o, err
}

func (c *Cloud) listSnapshots(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	filter, err := q.filterObject(false)
	if err != nil {
		return reply{}, err
	}
	filter = filter.clone()
	status, _ := filter.get("status").(string)
	filter.del("status")
	compiled, err := objectColumns("auto:bool important:bool").compile(filter)
	if err != nil {
		return reply{}, err
	}
	limit, offset, err := q.limits(paging{limit: 100, min: 1, max: 1000})
	if err != nil {
		return reply{}, err
	}
	rows := []*object{}
	for _, o := range c.snapshots.visible(q) {
		o = c.snapshotView(o)
		if o.int("client_id") != clientID || !compiled.match(o) {
			continue
		}
		failed := status == "failed" && (o.str("status") == "backup_failed" || o.str("status") == "restoring_failed")
		if status == "" || failed || o.str("status") == status {
			rows = append(rows, o)
		}
	}
	return ok(offsetPage(rows, limit, offset)), nil
}

// snapshotFields reads title, comment and important.
func snapshotFields(params *object, create bool) (*object, error) {
	fields := obj()
	var errs fieldErrors
	title, sent := params.lookup("title")
	if text, isString := title.(string); sent && (!isString || text == "") {
		errs.add("title", "invalid", title)
	} else if sent {
		fields.set("title", title)
	} else if create {
		errs.add("title", "can't be blank")
	}
	if comment, sent := params.lookup("comment"); sent {
		if _, isString := comment.(string); comment != nil && !isString {
			errs.add("comment", "must be string", comment)
		}
		fields.set("comment", comment)
	}
	if important, sent := params.lookup("important"); sent {
		b, isBool := asBool(important)
		if !isBool {
			errs.add("important", "must be boolean", important)
		}
		fields.set("important", b)
	}
	return fields, errs.err()
}

func (c *Cloud) createSnapshot(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	fields, err := snapshotFields(q.params, true)
	if err != nil {
		return reply{}, err
	}
	// While one snapshot is taken another may be queued; nothing else.
	if c.rulesStatus(clientID) == "restoring" || c.rulesLockedForGood(clientID) {
		return reply{}, errRulesLocked()
	}
	now := c.Now().Unix()
	rules := c.rulesOf(clientID, func(rule *object) bool { return !rule.bool("system") })
	o := c.snapshots.insert(obj(
		"client_id", clientID, "title", nil, "comment", nil, "important", false, "auto", false, "status", "ready",
		"created_by_user_id", q.who.userID, "created_at", now, "updated_at", now, "rules", anyList(rules),
	).merge(fields))
	c.startWork(o, "backup")
	c.purgeSnapshots(clientID)
	q.changed("snapshots", "create", nil, o)
	return ok(c.snapshotView(o)), nil
}

// purgeSnapshots drops the oldest snapshots of users over the number that the
// settings keep.
func (c *Cloud) purgeSnapshots(clientID int64) {
	var kept []*object
	for _, o := range c.snapshots.all() {
		if o.int("client_id") == clientID && !o.bool("auto") && !o.bool("important") {
			kept = append(kept, o)
		}
	}
	limit := int(max(c.settingsOf(clientID).int("rules_snapshot_max_count"), 1))
	for _, o := range kept[:max(len(kept)-limit, 0)] {
		c.snapshots.remove(o.int("id"))
	}
}

func (c *Cloud) getSnapshot(q *call) (reply, error) {
	o, err := c.snapshotByPath(q)
	if err != nil {
		return reply{}, err
	}
	return ok(c.snapshotView(o)), nil
}

func (c *Cloud) updateSnapshot(q *call) (reply, error) {
	o, err := c.snapshotByPath(q)
	if err != nil {
		return reply{}, err
	}
	fields, err := snapshotFields(q.params, false)
	if err != nil {
		return reply{}, err
	}
	changed := c.snapshots.update(o, fields.set("updated_at", c.Now().Unix()))
	q.changed("snapshots", "update", o, changed)
	return ok(c.snapshotView(changed)), nil
}

func (c *Cloud) deleteSnapshot(q *call) (reply, error) {
	o, err := c.snapshotByPath(q)
	if err != nil {
		return reply{}, err
	}
	c.snapshots.remove(o.int("id"))
	q.changed("snapshots", "delete", o, nil)
	return ok(c.snapshotView(o)), nil
}

func (c *Cloud) snapshotStatus(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	return ok(c.rulesStatus(clientID)), nil
}

// restoreSnapshot replaces the rules of users at once and keeps the lock for
// as long as the work would take. The rules get new ids.
func (c *Cloud) restoreSnapshot(q *call) (reply, error) {
	o, err := c.snapshotByPath(q)
	if err != nil {
		return reply{}, err
	}
	clientID := o.int("client_id")
	if c.rulesLocked(clientID) {
		return reply{}, errRulesLocked()
	}
	for _, rule := range c.rulesOf(clientID, func(rule *object) bool { return !rule.bool("system") }) {
		c.dropRule(q, rule)
	}
	for _, e := range o.array("rules") {
		saved, _ := e.(*object)
		rule := saved.clone()
		for _, name := range []string{"id", "actionid", "create_time", "create_userid", "updated_at"} {
			rule.del(name)
		}
		conditions := rule.array("action")
		rule.del("action")
		restored := c.storeRule(rule, clientID, c.findOrCreateAction(clientID, conditions), saved.get("create_userid"), false)
		q.changed("rules", "create", nil, restored)
	}
	c.startWork(o, "restoring")
	return ok(c.snapshotView(o)), nil
}
