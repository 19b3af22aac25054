package wallarmtest

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func (c *Cloud) initReports() { c.newTable("reports", "clientid", 31) }

func (c *Cloud) reportRoutes() []route {
	return []route{
		{
			ids: "addenda:1", name: "reports.download", method: http.MethodPost, pattern: "/v1/objects/report",
			handle: c.downloadReport,
		},
		{
			ids: "addenda:2", name: "reports.list", method: http.MethodPost, pattern: "/v1/objects/report/list",
			handle: c.listReports,
		},
		{
			ids: "addenda:3", name: "reports.order", method: http.MethodPost, pattern: "/v1/objects/report/request",
			writes: true, access: accessAnalysts, handle: c.orderReport,
		},
	}
}

var reportFormats = []string{"pdf", "mail", "csv", "json"}

// orderReport makes a report at once. Each order makes another one, and the
// answer does not name it.
func (c *Cloud) orderReport(q *call) (reply, error) {
	var errs fieldErrors
	report := obj()
	for _, name := range []string{"clientid", "time_from", "time_to"} {
		n, isInt := asInt(q.params.get(name))
		switch {
		case q.params.get(name) == nil:
			errs.add(name, "required")
		case !isInt:
			errs.add(name, "invalid", q.params.get(name))
		}
		report.set(name, n)
	}
	format := q.params.get("format")
	if s, _ := format.(string); format == nil {
		errs.add("format", "required")
	} else if !slices.Contains(reportFormats, s) {
		errs.add("format", "invalid", format)
	}
	for _, e := range asList(q.params.get("emails")) {
		if s, _ := e.(string); !strings.Contains(s, "@") {
			errs.add("emails", "invalid", e)
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	if !q.who.sees(report.int("clientid")) {
		return reply{}, errForbidden()
	}
	report = c.tables["reports"].insert(report.set("format", format))
	q.changed("reports", "create", nil, report)
	return noBody(http.StatusOK), nil
}

func reportOrder() map[string]func(*object) value {
	order := objectOrder("id clientid format time_to time_from")
	order["time"] = order["time_from"]
	order["time_range"] = func(o *object) value { return intOf(o.int("time_to") - o.int("time_from")) }
	return order
}

// listReports filters by the reported period in two ways: time selects what
// intersects a range, time_range what covers it.
func (c *Cloud) listReports(q *call) (reply, error) {
	filter, err := q.filterObject(true)
	if err != nil {
		return reply{}, err
	}
	filter = filter.clone()
	periods := map[string][]span{}
	for _, name := range []string{"time", "time_range"} {
		v, sent := filter.lookup(name)
		var c condition[*object]
		if sent && c.readTime(v) != nil {
			return reply{}, errField("filter."+name, "invalid", v)
		}
		periods[name] = c.ranges
		filter.del(name)
	}
	q.params = q.params.clone().set("filter", filter)
	rows, err := c.tables["reports"].list(q, listing{
		columns: objectColumns("clientid:int time_from:int time_to:int format:string"),
		order:   reportOrder(), paging: paging{limit: 100}, filterRequired: true, ownerRequired: true,
		hide: func(_ *call, o *object) bool {
			from, to := o.int("time_from"), o.int("time_to")
			return !anySpan(periods["time"], func(s span) bool { return from <= s.to && to >= s.from }) ||
				!anySpan(periods["time_range"], func(s span) bool { return from <= s.from && to >= s.to })
		},
	})
	return ok(rows), err
}

// anySpan tells whether a test holds for one of the spans, or there is none.
func anySpan(spans []span, test func(span) bool) bool {
	return len(spans) == 0 || slices.ContainsFunc(spans, test)
}

// reportEvents is the most that a file holds.
const reportEvents = 10000

// downloadReport renders the attacks of the reported period.
func (c *Cloud) downloadReport(q *call) (reply, error) {
	v := q.params.get("id")
	id, isInt := asInt(v)
	switch {
	case v == nil:
		return reply{}, errField("id", "required")
	case !isInt || id < 0:
		return reply{}, errField("id", "invalid", v)
	}
	report, found := c.tables["reports"].get(id)
	if !found || !q.who.sees(report.int("clientid")) {
		return reply{}, errNotFound()
	}
	attacks := []any{}
	c.events.eachAttackOf(report.int("clientid"), span{report.int("time_from"), report.int("time_to")}, func(index int32) bool {
		attacks = append(attacks, c.events.viewAttack(index, nil, false).object())
		return len(attacks) < reportEvents
	})
	switch report.str("format") {
	case "csv":
		return file("text/plain; charset=utf-8", reportTable(attacks)), nil
	case "json":
		return file(jsonType, appendJSON(nil, obj("report", report, "attacks", attacks))), nil
	case "mail":
		return file("text/html; charset=utf-8", fmt.Appendf(nil, "<html><p>%d attacks</p></html>\n", len(attacks))), nil
	}
	return file("application/pdf", fmt.Appendf(nil, "%%PDF-1.4\n%% %d attacks\n%%%%EOF\n", len(attacks))), nil
}

func reportTable(attacks []any) []byte {
	var text strings.Builder
	w := csv.NewWriter(&text)
	columns := []string{"first_time", "last_time", "type", "domain", "path", "parameter", "hits", "vulnid"}
	_ = w.Write(columns) // a strings.Builder does not fail
	for _, e := range attacks {
		row := make([]string, len(columns))
		for i, name := range columns {
			row[i] = strings.Trim(string(appendJSON(nil, e.(*object).get(name))), `"`)
		}
		_ = w.Write(row)
	}
	w.Flush()
	return []byte(text.String())
}
