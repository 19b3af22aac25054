package wallarmtest

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
)

func (c *Cloud) apiSessionRoutes() []route {
	const settings = "/v1/client/{client_id}/api_sessions/settings"
	const one = "/v1/traces/client/{client_id}/sessions/{id}"
	reads := func(id, name, pattern string, handle func(*call) (reply, error)) route {
		return route{ids: id, name: "apisessions." + name, method: http.MethodGet, pattern: pattern, handle: handle}
	}
	return []route{
		reads("sessions:1", "settings", settings, c.getSessionSettings),
		{
			ids: "sessions:2", name: "apisessions.replaceSettings", method: http.MethodPut, pattern: settings,
			writes: true, handle: c.putSessionSettings,
		},
		reads("sessions:3", "list", "/v1/traces/sessions", c.listSessions),
		reads("sessions:4", "count", "/v1/traces/sessions/count", c.countSessions),
		reads("sessions:5", "get", one, c.getSession),
		reads("sessions:6", "listRequests", one+"/requests", c.listSessionRequests),
		reads("sessions:7", "countRequests", one+"/requests/count", c.countSessionRequests),
		reads("sessions:8", "getRequest", one+"/requests/{req_id}", c.getSessionRequest),
		reads("sessions:9", "exportRequestsCSV", one+"/requests/export_csv", c.exportSessionCSV),
		reads("attacks:69", "attackStatistics", "/v1/client/{client_id}/api_sessions/attacks/statistics", c.sessionAttackStatistics),
	}
}

// initAPISessions makes the tables. Objects of "api_sessions" may hold the
// members of the list and of the single read alike; those of
// "api_session_requests" name their session_id and may do so too, under the
// names of the list. Answers leave out what does not belong to them.
func (c *Cloud) initAPISessions() {
	c.newTable("api_session_settings", "client_id", 4501)
	c.newTable("api_sessions", "client_id", 4601)
	c.newTable("api_session_requests", "client_id", 47001)
	c.newTable("api_session_exports", "client_id", 5501)
}

func missingParam(errs *fieldErrors, field string) {
	errs.addRule(field, "required", field+" is required")
}

func wrongParam(errs *fieldErrors, field, kind string) {
	errs.addRule(field, "type", field+" should be "+kind)
}

func (c *Cloud) sessionSettings(clientID int64) (*object, bool) {
	stored := c.tables["api_session_settings"].find(func(o *object) bool { return o.int("client_id") == clientID })
	if stored != nil {
		return stored, true
	}
	return obj("session_max_lifetime", 1440, "session_termination_timeout", 45), false
}

func (c *Cloud) getSessionSettings(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	settings, _ := c.sessionSettings(clientID)
	return ok(dropMembers(settings, "id", "client_id")), nil
}

func (c *Cloud) putSessionSettings(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	changed, errs := obj(), fieldErrors{}
	for _, name := range []string{"session_max_lifetime", "session_termination_timeout"} {
		v := q.params.get(name)
		n, isInt := asInt(v)
		switch {
		case v == nil:
			missingParam(&errs, name)
		case !isInt || n < 1:
			wrongParam(&errs, name, "a positive integer")
		default:
			changed.set(name, n)
		}
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	table := c.tables["api_session_settings"]
	before, exists := c.sessionSettings(clientID)
	if exists {
		changed = table.update(before, changed)
	} else {
		changed = table.insert(changed.set("client_id", clientID))
	}
	q.changed("api_session_settings", "update", before, changed)
	return ok(dropMembers(changed, "id", "client_id")), nil
}

// sessionMembers are members of an answer, with the values of those that are
// not set.
type sessionMembers []member

func membersWith(fallback any, names string) sessionMembers {
	var out sessionMembers
	for name := range strings.FieldsSeq(names) {
		out = append(out, member{name, fallback})
	}
	return out
}

// view is the object with just these members.
func (d sessionMembers) view(o *object) *object {
	out := obj()
	for _, m := range d {
		v, sent := o.lookup(m.name)
		if !sent {
			v = m.value
		}
		out.set(m.name, v)
	}
	return out
}

const userCounts = " user_attr_id_counts user_attr_user_counts user_attr_role_counts user_attr_credentials_counts"

var (
	sessionRow = slices.Concat(
		membersWith("", "session_id"), membersWith(0, "client_id app_id"), membersWith("", "host ip country datacenter proxy_type"),
		membersWith(0, "start_time end_time duration req_count attack_sum_count hosts_uniq_total uris_uniq_total"),
		membersWith([]any{}, "app_counts attack_counts business_context_counts host_counts uri_counts"+userCounts))
	sessionDetails = slices.Concat(
		membersWith("", "session_id"), membersWith(0, "client_id start_time end_time duration req_count attack_sum_count"),
		membersWith([]any{}, "attack_counts business_context_counts ip_counts method_counts response_status_counts"+userCounts+" session_data"))
	requestRow = slices.Concat(
		membersWith("", "request_id"), membersWith(0, "request_time"), membersWith("", "method uri"),
		membersWith(nil, "response_status_code response_size response_time"), membersWith(1, "api_version"),
		membersWith("", "api_ap_bot_id api_ap_bot_type wallarm_traffic"), membersWith(false, "api_abuse_disabled api_sessions_disabled"),
		membersWith([]any{}, "attack_types experimental_attack_types business_contexts"))
	requestDetails = slices.Concat(
		membersWith("", "request_id"), membersWith(0, "request_time"),
		membersWith("", "host uri ip ua country action bot_id bot_type node_ip"), membersWith(0, "node_port"), membersWith("", "node_uuid"),
		membersWith(0, "application_id endpoint_id"), membersWith(1, "api_version"), membersWith(nil, "response_time"),
		membersWith([]any{}, "attack_types business_contexts detectors"),
		membersWith("", "user_attr_id user_attr_user user_attr_role user_attr_credentials"), membersWith([]any{}, "additional_data"))
)

// countNames are the names in a counter, [{"sqli":3},{"xss":1}].
func countNames(member string) func(*object) []string {
	return func(o *object) []string {
		var names []string
		eachObjectIn(o, member, func(part *object) bool {
			for _, m := range part.members {
				names = append(names, m.name)
			}
			return true
		})
		return names
	}
}

// memberTexts is a member, or the elements of one, as texts.
func memberTexts(names ...string) func(*object) []string {
	return func(o *object) []string {
		var texts []string
		for _, name := range names {
			for _, v := range asList(o.get(name)) {
				texts = append(texts, plainJSON(v))
			}
		}
		return texts
	}
}

func plainJSON(v any) string {
	if s, isString := v.(string); isString {
		return s
	}
	return string(appendJSON(nil, v))
}

func allTexts(a, b func(*object) []string) func(*object) []string {
	return func(o *object) []string { return append(a(o), b(o)...) }
}

// sessionFilters and requestFilters say what the values of a query parameter
// are compared with. Those of sessionRequestFilters hold for a session if
// they hold for one of its requests.
var (
	sessionFilters = map[string]func(*object) []string{
		"session_id":            memberTexts("session_id"),
		"application_id":        allTexts(memberTexts("app_id"), countNames("app_counts")),
		"attack_type":           countNames("attack_counts"),
		"business_contexts":     countNames("business_context_counts"),
		"country":               memberTexts("country"),
		"host":                  allTexts(memberTexts("host"), countNames("host_counts")),
		"ip":                    allTexts(memberTexts("ip"), countNames("ip_counts")),
		"uri":                   countNames("uri_counts"),
		"user_attr_id":          countNames("user_attr_id_counts"),
		"user_attr_user":        countNames("user_attr_user_counts"),
		"user_attr_role":        countNames("user_attr_role_counts"),
		"user_attr_credentials": countNames("user_attr_credentials_counts"),
	}
	sessionRequestFilters = strings.Fields(`request_id endpoint_id status_code http_method api_ap_action api_ap_bot_id api_ap_bot_type
		api_ap_detectors`)
	requestFilters = map[string]func(*object) []string{
		"request_id":            memberTexts("request_id"),
		"application_id":        memberTexts("application_id"),
		"endpoint_id":           memberTexts("endpoint_id"),
		"status_code":           memberTexts("response_status_code"),
		"attack_type":           memberTexts("attack_types", "experimental_attack_types"),
		"business_contexts":     memberTexts("business_contexts"),
		"country":               memberTexts("country"),
		"host":                  memberTexts("host"),
		"http_method":           memberTexts("method"),
		"ip":                    memberTexts("ip"),
		"uri":                   memberTexts("uri"),
		"wallarm_traffic":       memberTexts("wallarm_traffic"),
		"user_attr_id":          memberTexts("user_attr_id"),
		"user_attr_user":        memberTexts("user_attr_user"),
		"user_attr_role":        memberTexts("user_attr_role"),
		"user_attr_credentials": memberTexts("user_attr_credentials"),
		"api_ap_action":         memberTexts("action"),
		"api_ap_bot_id":         memberTexts("api_ap_bot_id"),
		"api_ap_bot_type":       memberTexts("api_ap_bot_type"),
		"api_ap_detectors":      memberTexts("detectors"),
		"api_sessions_disabled": func(o *object) []string { return []string{plainJSON(o.bool("api_sessions_disabled"))} },
	}
	intParams  = strings.Fields("application_id endpoint_id status_code client_id")
	boolParams = strings.Fields("by_intervals skip_uri_stat api_ap_detectors_strict with_any_attack api_sessions_disabled")
	timeParams = strings.Fields("start_time end_time page_end_time request_time")
)

// sessionParams reads the query of this family: plain names, several values
// in one parameter, joined by commas.
type sessionParams struct {
	*object
	errs fieldErrors
}

func readSessionParams(q *call, known string) *sessionParams {
	p := &sessionParams{object: q.params}
	names := strings.Fields(known)
	for _, m := range q.params.members {
		text, isString := m.value.(string)
		switch {
		case !slices.Contains(names, m.name):
			p.errs.addRule(m.name, "unknown", m.name+" is unknown")
		case !isString:
			wrongParam(&p.errs, m.name, "given once")
		case slices.Contains(timeParams, m.name):
			if _, isNumber := asFloat(text); !isNumber {
				wrongParam(&p.errs, m.name, "a number")
			}
		default:
			p.checkValues(m.name, text)
		}
	}
	return p
}

func (p *sessionParams) checkValues(name, text string) {
	for value := range strings.SplitSeq(text, ",") {
		if _, isInt := asInt(value); !isInt && slices.Contains(intParams, name) {
			wrongParam(&p.errs, name, "an integer")
		}
		if _, isBool := asBool(value); !isBool && slices.Contains(boolParams, name) {
			wrongParam(&p.errs, name, "a boolean")
		}
	}
}

// together demands both of two parameters or none.
func (p *sessionParams) together(a, b string) {
	if p.has(a) != p.has(b) {
		missingParam(&p.errs, map[bool]string{true: b, false: a}[p.has(a)])
	}
}

func (p *sessionParams) number(name string) (float64, bool) {
	n, isNumber := asFloat(p.get(name))
	return n, isNumber
}

// limit is required on the lists of this family.
func (p *sessionParams) limit() int {
	v := p.get("limit")
	n, isInt := asInt(v)
	switch {
	case v == nil:
		missingParam(&p.errs, "limit")
	case !isInt || n < 1 || n > 1<<31:
		wrongParam(&p.errs, "limit", "a positive integer")
	}
	return int(n)
}

// match tells whether the object has one of the values of each parameter.
func (p *sessionParams) match(o *object, name string, of func(*object) []string) bool {
	if !p.has(name) {
		return true
	}
	have := of(o)
	for value := range strings.SplitSeq(p.str(name), ",") {
		if slices.Contains(have, value) {
			return true
		}
	}
	return false
}

func numberIn(o *object, name string) float64 {
	n, _ := asFloat(o.get(name))
	return n
}

const (
	sessionCountParams = `client_id start_time end_time by_intervals skip_uri_stat session_id request_id request_time application_id
		endpoint_id status_code attack_type business_contexts country host http_method ip uri user_attr_id user_attr_user
		user_attr_role user_attr_credentials api_ap_action api_ap_bot_id api_ap_bot_type api_ap_detectors api_ap_detectors_strict`
	requestCountParams = `start_time end_time request_id application_id endpoint_id status_code attack_type business_contexts country
		host http_method ip uri wallarm_traffic user_attr_id user_attr_user user_attr_role user_attr_credentials api_ap_bot_id
		api_ap_bot_type api_sessions_disabled with_any_attack`
)

// selectSessions returns the sessions that the query selects, newest first.
func (c *Cloud) selectSessions(q *call, p *sessionParams) ([]*object, error) {
	if !p.has("client_id") {
		missingParam(&p.errs, "client_id")
	}
	p.together("request_id", "request_time")
	if err := p.errs.err(); err != nil {
		return nil, err
	}
	clients := map[int64]bool{}
	for value := range strings.SplitSeq(p.str("client_id"), ",") {
		id, _ := asInt(value)
		if !q.who.sees(id) {
			return nil, errForbidden()
		}
		clients[id] = true
	}
	start, hasStart := p.number("start_time")
	end, hasEnd := p.number("end_time")
	rows := slices.DeleteFunc(c.tables["api_sessions"].visible(q), func(o *object) bool {
		return !clients[o.int("client_id")] || hasStart && numberIn(o, "end_time") < start || hasEnd && numberIn(o, "start_time") > end ||
			!c.sessionMatches(p, o)
	})
	sortByKey(rows, "end_time", "session_id")
	return rows, nil
}

func (c *Cloud) sessionMatches(p *sessionParams, o *object) bool {
	for name, of := range sessionFilters {
		if !p.match(o, name, of) {
			return false
		}
	}
	needed := slices.DeleteFunc(slices.Clone(sessionRequestFilters), func(name string) bool { return !p.has(name) })
	if len(needed) == 0 {
		return true
	}
	when, hasTime := p.number("request_time")
	return slices.ContainsFunc(c.requestsOf(o.int("client_id"), o.str("session_id")), func(r *object) bool {
		if hasTime && numberIn(r, "request_time") != when {
			return false
		}
		return !slices.ContainsFunc(needed, func(name string) bool { return !p.match(r, name, requestFilters[name]) })
	})
}

// sortByKey puts the newest first; rows of one time by descending id.
func sortByKey(rows []*object, time, id string) {
	slices.SortStableFunc(rows, func(a, b *object) int {
		return cmp.Or(cmp.Compare(numberIn(b, time), numberIn(a, time)), strings.Compare(b.str(id), a.str(id)))
	})
}

// pageByKey is P13: the rows behind the one with a time and an id. The row
// itself need not be there any more.
func pageByKey(p *sessionParams, rows []*object, time, id, idParam string) ([]*object, error) {
	limit := p.limit()
	p.together("page_end_time", idParam)
	if err := p.errs.err(); err != nil {
		return nil, err
	}
	if at, isNext := p.number("page_end_time"); isNext {
		rows = slices.DeleteFunc(rows, func(o *object) bool {
			n := numberIn(o, time)
			return n > at || n == at && o.str(id) >= p.str(idParam)
		})
	}
	return offsetPage(rows, limit, 0), nil
}

func (c *Cloud) listSessions(q *call) (reply, error) {
	p := readSessionParams(q, sessionCountParams+" limit page_end_time page_session_id")
	p.limit()
	rows, err := c.selectSessions(q, p)
	if err != nil {
		return reply{}, err
	}
	if rows, err = pageByKey(p, rows, "end_time", "session_id", "page_session_id"); err != nil {
		return reply{}, err
	}
	list := []any{}
	for _, o := range rows {
		row := sessionRow.view(o)
		if skip, _ := asBool(p.get("skip_uri_stat")); skip {
			row.set("uri_counts", []any{})
		}
		list = append(list, row)
	}
	return ok(list), nil
}

func (c *Cloud) countSessions(q *call) (reply, error) {
	rows, err := c.selectSessions(q, readSessionParams(q, sessionCountParams))
	return ok(obj("total", len(rows))), err
}

func (c *Cloud) getSession(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	o := c.tables["api_sessions"].find(func(o *object) bool {
		return o.int("client_id") == clientID && o.str("session_id") == q.path["id"]
	})
	if o == nil {
		return reply{}, errNotFound()
	}
	return ok(sessionDetails.view(o)), nil
}

func (c *Cloud) requestsOf(clientID int64, sessionID string) []*object {
	return slices.DeleteFunc(c.tables["api_session_requests"].all(), func(o *object) bool {
		return o.int("client_id") != clientID || o.str("session_id") != sessionID
	})
}

func (c *Cloud) selectRequests(q *call, p *sessionParams) ([]*object, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return nil, err
	}
	start, hasStart := p.number("start_time")
	if !p.has("start_time") {
		missingParam(&p.errs, "start_time")
	}
	if err := p.errs.err(); err != nil {
		return nil, err
	}
	end, hasEnd := p.number("end_time")
	any, wantsAny := asBool(p.get("with_any_attack"))
	rows := slices.DeleteFunc(c.requestsOf(clientID, q.path["id"]), func(o *object) bool {
		n := numberIn(o, "request_time")
		if hasStart && n < start || hasEnd && n > end || wantsAny && any != (len(o.array("attack_types")) > 0) {
			return true
		}
		for name, of := range requestFilters {
			if !p.match(o, name, of) {
				return true
			}
		}
		return false
	})
	sortByKey(rows, "request_time", "request_id")
	return rows, nil
}

func (c *Cloud) listSessionRequests(q *call) (reply, error) {
	p := readSessionParams(q, requestCountParams+" limit page_end_time page_request_id")
	p.limit()
	rows, err := c.selectRequests(q, p)
	if err != nil {
		return reply{}, err
	}
	if rows, err = pageByKey(p, rows, "request_time", "request_id", "page_request_id"); err != nil {
		return reply{}, err
	}
	list := []any{}
	for _, o := range rows {
		list = append(list, requestRow.view(o))
	}
	return ok(list), nil
}

func (c *Cloud) countSessionRequests(q *call) (reply, error) {
	rows, err := c.selectRequests(q, readSessionParams(q, requestCountParams))
	return ok(obj("total", len(rows))), err
}

// getSessionRequest answers one request, which its id and its time name
// together. Two members have other names than in the list.
func (c *Cloud) getSessionRequest(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	p := readSessionParams(q, "request_time")
	if !p.has("request_time") {
		missingParam(&p.errs, "request_time")
	}
	if err := p.errs.err(); err != nil {
		return reply{}, err
	}
	when, _ := p.number("request_time")
	for _, o := range c.requestsOf(clientID, q.path["id"]) {
		if o.str("request_id") == q.path["req_id"] && numberIn(o, "request_time") == when {
			o = o.clone().set("bot_id", o.str("api_ap_bot_id")).set("bot_type", o.str("api_ap_bot_type"))
			return ok(requestDetails.view(o)), nil
		}
	}
	return reply{}, errNotFound()
}

func (c *Cloud) exportSessionCSV(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	rows := c.requestsOf(clientID, q.path["id"])
	sortByKey(rows, "request_time", "request_id")
	columns := []string{"request_id", "request_time", "method", "uri", "response_status_code"}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write(columns) // a bytes.Buffer does not fail
	for _, o := range rows {
		cells := make([]string, len(columns))
		for i, name := range columns {
			if v := o.get(name); v != nil {
				cells[i] = plainJSON(v)
			}
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return file("text/csv", out.Bytes()), nil
}

// sessionAttackStatistics is bare: by kind of attack, all of them, and those
// whose requests were answered with 403.
func (c *Cloud) sessionAttackStatistics(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	total, blocked := map[string]int64{}, map[string]int64{}
	for _, o := range c.tables["api_sessions"].visible(q) {
		if o.int("client_id") != clientID {
			continue
		}
		eachObjectIn(o, "attack_counts", func(part *object) bool {
			for _, m := range part.members {
				total[m.name] += part.int(m.name)
			}
			return true
		})
	}
	for _, o := range c.tables["api_session_requests"].visible(q) {
		if o.int("client_id") != clientID || o.int("response_status_code") != http.StatusForbidden {
			continue
		}
		for _, kind := range stringsOf(o.get("attack_types")) {
			blocked[kind]++
		}
	}
	out := map[string]any{}
	for kind, n := range total {
		out[kind] = obj("blocked", min(blocked[kind], n), "total", n)
	}
	return bare(out), nil
}
