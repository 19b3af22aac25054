package wallarmtest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// widget is a checked widget.
type widget struct {
	kind, field, groupBy string
	limit                int64
	title                any
}

// vectorStats answers widgets over the vectors of the period.
func (c *Cloud) vectorStats(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	widgets, err := q.widgets()
	if err != nil {
		return reply{}, err
	}
	where, err := parseWhere(q.params.get("where"))
	if err != nil {
		return reply{}, err
	}
	p, err := q.period()
	if err != nil {
		return reply{}, err
	}
	answers := []any{}
	for _, w := range widgets {
		answer := obj("type", w.kind)
		if w.title != nil {
			answer.set("title", w.title)
		}
		answers = append(answers, answer.set("data", c.events.widgetData(clientID, p, where, w)))
	}
	return bare(obj("widgets", answers)), nil
}

func (q *call) widgets() ([]widget, error) {
	list, _ := q.params.get("widgets").([]any)
	if len(list) == 0 {
		return nil, errRule("widgets", "required", "widgets is required")
	}
	out := make([]widget, len(list))
	for i, v := range list {
		o, _ := v.(*object)
		w := widget{kind: o.str("type"), field: o.str("field"), groupBy: o.str("group_by"), limit: 5, title: o.get("title")}
		field := fmt.Sprintf("widgets[%d]", i)
		isBucket := bucketNames[w.groupBy] != nil
		switch {
		case !slices.Contains([]string{"single_value", "timeseries", "top_list", "pie_chart"}, w.kind):
			return nil, errRule(field+".type", "invalid", "unknown widget type "+w.kind)
		case metricNamed(w.field) == nil:
			return nil, errRule(field+".field", "invalid", "field must be a metric")
		case w.kind == "single_value":
			w.groupBy = ""
		case w.groupBy == "":
			return nil, errRule(field+".group_by", "required", "group_by is required")
		case !isBucket && (w.kind == "timeseries" || columnNamed(w.groupBy) == nil):
			return nil, errRule(field+".group_by", "invalid", "cannot group by "+w.groupBy)
		}
		if n, isInt := asInt(o.get("limit")); isInt && n > 0 {
			w.limit = n
		} else if o.get("limit") != nil {
			return nil, errRule(field+".limit", "invalid", "limit must be positive")
		}
		out[i] = w
	}
	return out, nil
}

func (s *eventStore) widgetData(clientID int64, p period, where *whereNode, w widget) []any {
	distincts := distinctsOf(append(where.rowFields(), w.field)...)
	var names []string
	if w.groupBy != "" {
		names = []string{w.groupBy}
	}
	groups := map[string]*vectorGroup{}
	s.eachVector(clientID, p, where, func(r hitRow) bool {
		dims := r.dimensionsOf(names, p.zone)
		key := strings.Join(dims, "")
		if groups[key] == nil {
			groups[key] = newVectorGroup(s, clientID, dims, distincts)
		}
		groups[key].add(r)
		return true
	})
	if w.groupBy == "" {
		value := any(0)
		if g := groups[""]; g != nil && where.keeps(g) {
			value = g.metric(w.field)
		}
		return []any{obj("label", "Total", "key", "", "value", value)}
	}
	keys, total := []string{}, 0.0
	for _, key := range sortedKeys(groups) {
		if where.keeps(groups[key]) {
			keys = append(keys, key)
			total += groups[key].number(w.field)
		}
	}
	isShare := w.kind != "timeseries"
	if isShare {
		slices.SortStableFunc(keys, func(a, b string) int {
			return cmp.Compare(groups[b].number(w.field), groups[a].number(w.field))
		})
		keys = keys[:min(int64(len(keys)), w.limit)]
	}
	data := []any{}
	for _, key := range keys {
		point := obj("label", cmp.Or(labelOf(w.groupBy, key), key), "key", cmp.Or(key, noValue), "value", groups[key].metric(w.field))
		if isShare && total > 0 {
			point.set("percentage", math.Round(1000*groups[key].number(w.field)/total)/10)
		}
		data = append(data, point)
	}
	return data
}
