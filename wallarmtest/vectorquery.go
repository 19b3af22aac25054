package wallarmtest

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
)

// vectorQuery is a checked query.
type vectorQuery struct {
	clientID int64
	period   period
	where    *whereNode
	rawWhere any
	names    []string // dimensions
	show     []string
	order    []rowOrder
	// print tells queries apart: a cursor is worth nothing with another one.
	print string
}

type rowOrder struct {
	field string
	desc  bool
}

func (c *Cloud) readVectorQuery(q *call) (*vectorQuery, error) {
	vq := &vectorQuery{rawWhere: q.params.get("where")}
	var err error
	if vq.clientID, err = q.pathClient("client_id"); err != nil {
		return nil, err
	}
	if err := vq.readSelect(q); err != nil {
		return nil, err
	}
	if err := vq.readGrouping(q); err != nil {
		return nil, err
	}
	if vq.where, err = parseWhere(vq.rawWhere); err != nil {
		return nil, err
	}
	if vq.period, err = q.period(); err != nil {
		return nil, err
	}
	if err := vq.readOrder(q); err != nil {
		return nil, err
	}
	h := fnv.New64a()
	for _, name := range []string{"select", "preset", "group_by", "where", "order_by", "time_range"} {
		_, _ = h.Write(append(appendJSON(nil, q.params.get(name)), 0))
	}
	vq.print = fmt.Sprintf("%x", h.Sum64())
	return vq, nil
}

func (vq *vectorQuery) readSelect(q *call) error {
	list, isList := q.params.get("select").([]any)
	if !isList || len(list) == 0 {
		return errRule("select", "required", "select is required")
	}
	aggregates := 0
	for _, v := range list {
		name, _ := v.(string)
		isMetric := metricNamed(name) != nil
		if !isMetric && displayColumns[name] == "" && !slices.Contains(rowColumns, name) && columnNamed(name) == nil && bucketNames[name] == nil {
			return errRule("select", "invalid", "unknown column "+name)
		}
		if isMetric {
			aggregates++
		}
		vq.show = append(vq.show, name)
	}
	if aggregates == 0 {
		vq.show = append(vq.show, "requests_count")
	}
	return nil
}

// readGrouping turns preset or group_by into dimensions. A time bucket is
// always the first of them.
func (vq *vectorQuery) readGrouping(q *call) error {
	preset, _ := q.params.get("preset").(string)
	groupBy := stringsOf(q.params.get("group_by"))
	if preset != "" && len(groupBy) > 0 {
		return errRule("group_by", "exclusive", "group_by and preset are mutually exclusive")
	}
	switch preset {
	case "":
		vq.names = groupBy
	case "type":
		vq.names = []string{"attack_type"}
	case "source_ip":
		vq.names = []string{"ip"}
	case "none":
		vq.names = []string{attackUnit, "attack_type", "host", "normalized_path", "point"}
	default:
		vq.names = []string{preset}
	}
	for i, name := range vq.names {
		if name == "path" {
			vq.names[i] = "normalized_path"
		}
		if column := columnNamed(name); bucketNames[name] == nil && name != attackUnit && (column == nil || !column.groups) {
			field := "group_by"
			if preset != "" {
				field = "preset"
			}
			return errRule(field, "invalid", "cannot group by "+name)
		}
	}
	isBucket := func(name string) bool { return bucketNames[name] != nil }
	bucket := "ts_day"
	if i := slices.IndexFunc(vq.names, isBucket); i >= 0 {
		bucket = vq.names[i]
		vq.names = slices.DeleteFunc(slices.Clone(vq.names), isBucket)
	}
	vq.names = append([]string{bucket}, vq.names...)
	return nil
}

func (vq *vectorQuery) readOrder(q *call) error {
	for _, v := range asList(q.params.get("order_by")) {
		o, isObject := v.(*object)
		if !isObject {
			return errRule("order_by", "invalid", "order_by must be an array of objects")
		}
		field := o.str("field")
		sortable := metricNamed(field) != nil || slices.Contains(vq.names, field) || field == "min_request_time" || field == "max_request_time"
		if !sortable {
			return errRule("order_by", "invalid", "cannot order by "+field)
		}
		vq.order = append(vq.order, rowOrder{field, o.bool("desc")})
	}
	if len(vq.order) == 0 {
		vq.order = []rowOrder{{vq.names[0], true}, {"requests_count", true}}
	}
	return nil
}

// groups makes the rows: vectors by their dimensions, those that the
// conditions on rows keep, in order.
func (vq *vectorQuery) groups(s *eventStore) []*vectorGroup {
	needed := append(vq.where.rowFields(), vq.show...)
	for _, o := range vq.order {
		needed = append(needed, o.field)
	}
	distincts := distinctsOf(needed...)
	byKey := map[string]*vectorGroup{}
	var list []*vectorGroup
	s.eachVector(vq.clientID, vq.period, vq.where, func(r hitRow) bool {
		dims := r.dimensionsOf(vq.names, vq.period.zone)
		key := strings.Join(dims, "\x00")
		g := byKey[key]
		if g == nil {
			g = newVectorGroup(s, vq.clientID, dims, distincts)
			byKey[key] = g
			list = append(list, g)
		}
		g.add(r)
		return true
	})
	list = slices.DeleteFunc(list, func(g *vectorGroup) bool { return !vq.where.keeps(g) })
	slices.SortFunc(list, vq.compare)
	return list
}

func (vq *vectorQuery) compare(a, b *vectorGroup) int {
	for _, o := range vq.order {
		order := 0
		if i := slices.Index(vq.names, o.field); i >= 0 {
			order = strings.Compare(a.dims[i], b.dims[i])
		} else if x, y := a.number(o.field), b.number(o.field); x < y {
			order = -1
		} else if x > y {
			order = 1
		}
		if o.desc {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return slices.Compare(a.dims, b.dims)
}

// row renders a group.
func (vq *vectorQuery) row(g *vectorGroup) *object {
	id := &vectorGroupID{clientID: vq.clientID, period: vq.period, where: vq.rawWhere, names: vq.names, value: g.dims}
	o := obj("id", id.encode())
	for i, name := range vq.names {
		if name == attackUnit {
			continue
		}
		o.set(name, g.dims[i])
		if label := labelOf(name, g.dims[i]); label != "" {
			o.set(name+"_label", label)
		}
	}
	for _, name := range vq.show {
		switch column := displayColumns[name]; {
		case metricNamed(name) != nil:
			o.set(name, g.metric(name))
		case column != "":
			o.set(name, obj("count", len(g.distinct[column].seen), "values", g.distinct[column].sample))
		case name == "status":
			o.set(name, g.status())
		case name == "min_request_time":
			o.set(name, isoTime(g.first))
		case name == "max_request_time":
			o.set(name, isoTime(g.last))
		case name == "attack_name":
			o.set(name, g.attackName())
		case name == "security_info":
			o.set(name, nil)
		}
	}
	return o
}

func (g *vectorGroup) attackName() any {
	sample := g.distinct["attack_type"].sample
	if len(sample) != 1 {
		return nil
	}
	kind, _ := sample[0].(string)
	if label := labelOf("attack_type", kind); label != "" {
		return label
	}
	return kind
}

// vectorQuery answers one page of rows. The cursor holds the place and the
// period of the first page, so that later events do not shift the pages, and
// what the query was.
func (c *Cloud) vectorQuery(q *call) (reply, error) {
	vq, err := c.readVectorQuery(q)
	if err != nil {
		return reply{}, err
	}
	limit, err := q.vectorLimit(100, 100)
	if err != nil {
		return reply{}, err
	}
	start := int64(0)
	if v := q.params.get("cursor"); v != nil && v != "" {
		text, _ := v.(string)
		parts, valid := decodeCursor(text, 4)
		if !valid || parts[0] != vq.print {
			return reply{}, errRule("cursor", "invalid", "cursor is invalid")
		}
		place, ok1 := asInt(parts[1])
		from, ok2 := asInt(parts[2])
		to, ok3 := asInt(parts[3])
		if !ok1 || !ok2 || !ok3 || place < 0 {
			return reply{}, errRule("cursor", "invalid", "cursor is invalid")
		}
		start, vq.period.from, vq.period.to = place, from, to
	}
	groups := vq.groups(c.events)
	data := []any{}
	for _, g := range offsetPage(groups, limit, int(start)) {
		data = append(data, vq.row(g))
	}
	answer := obj("data", data)
	if len(groups) <= limit && start == 0 {
		return bare(answer), nil // both cursors are absent when all rows fit one page
	}
	at := func(place int64) string { return encodeCursor(vq.print, place, vq.period.from, vq.period.to) }
	answer.set("next_cursor", nil).set("prev_cursor", nil)
	if next := start + int64(len(data)); next < int64(len(groups)) {
		answer.set("next_cursor", at(next))
	}
	if start > 0 {
		answer.set("prev_cursor", at(max(0, start-int64(limit))))
	}
	return bare(answer), nil
}

// vectorExport accepts an export and remembers it. Nothing is mailed.
func (c *Cloud) vectorExport(q *call) (reply, error) {
	vq, err := c.readVectorQuery(q)
	if err != nil {
		return reply{}, err
	}
	email, _ := q.params.get("email").(string)
	switch {
	case email == "":
		return reply{}, errRule("email", "required", "email is required")
	case !strings.Contains(email, "@"):
		return reply{}, errRule("email", "invalid", "email is invalid")
	}
	stored := c.tables["attack_exports"].insert(obj(
		"client_id", vq.clientID, "email", email, "rows", len(vq.groups(c.events)), "created_at", isoTime(q.now.Unix()),
	))
	id := fmt.Sprintf("exp-%s-%d", q.now.UTC().Format("20060102"), stored.int("id"))
	return bare(obj("export_id", id, "status", "accepted")).withStatusOnly(http.StatusAccepted), nil
}

// withStatusOnly changes the HTTP status and leaves the document alone, for
// answers whose member status is not that of HTTP.
func (r reply) withStatusOnly(status int) reply {
	r.status = status
	return r
}

// vectorSchema describes the columns.
func (c *Cloud) vectorSchema(q *call) (reply, error) {
	if _, err := q.pathClient("client_id"); err != nil {
		return reply{}, err
	}
	var selects, groups, stats, wheres []any
	for _, m := range metrics {
		selects = append(selects, obj("name", m.name, "label", m.label, "type", m.kind, "category", "aggregate", "sortable", true))
		wheres = append(wheres, obj("name", m.name, "label", m.label, "type", m.kind, "operators", anyList(operatorsOf(m.name)),
			"options", []any{}, "default", false))
	}
	for _, name := range sortedKeys(displayColumns) {
		selects = append(selects, obj("name", name, "label", strings.ReplaceAll(name, "_", " "), "type", "string", "category", "display",
			"sortable", false))
	}
	for _, name := range rowColumns {
		selects = append(selects, obj("name", name, "label", strings.ReplaceAll(name, "_", " "), "type", "string", "category", "display",
			"sortable", strings.HasSuffix(name, "_time")))
	}
	for _, name := range []string{"ts_hour", "ts_day", "ts_week", "ts_month"} {
		groups = append(groups, obj("name", name, "label", name, "type", "date", "operators", []any{}))
		stats = append(stats, obj("name", name, "label", name, "type", "date"))
	}
	for _, column := range vectorColumnOrder {
		options := []any{}
		for _, v := range column.options {
			options = append(options, obj("value", v, "label", v))
		}
		if column.groups {
			groups = append(groups, obj("name", column.name, "label", column.label, "type", column.kind,
				"operators", anyList(operatorsOf(column.name))))
		}
		entry := obj("name", column.name, "label", column.label, "type", column.kind)
		if len(options) > 0 {
			entry.set("options", options)
		}
		stats = append(stats, entry)
		where := obj("name", column.name, "label", column.label, "type", column.kind, "operators", anyList(operatorsOf(column.name)),
			"options", options, "default", false)
		if column.kind == "key_value" {
			where.set("key_value", obj("key_label", "Parameter", "value_label", "Value", "key_options", []any{}))
		}
		wheres = append(wheres, where)
	}
	return bare(obj(
		"select_fields", selects,
		"group_by_fields", groups,
		"stats_group_by_fields", stats,
		"where_fields", wheres,
		"grouping_presets", []any{
			obj("value", "type", "label", "Type", "description", "Group attacks by type"),
			obj("value", "source_ip", "label", "IP", "description", "Group attacks by source address"),
			obj("value", "none", "label", "None", "description", "Single attacks"),
		},
	)), nil
}
