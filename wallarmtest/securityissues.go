package wallarmtest

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"time"
)

// SecurityIssue is a security issue to add. Zero fields get plausible values.
type SecurityIssue struct {
	// ID is chosen by the cloud when it is 0.
	ID int64
	// ClientID is the default client when it is 0.
	ClientID int64
	// Name is the title, by which issues are grouped.
	Name string
	// Severity is critical, high, medium, low or info.
	Severity string
	// State is open, closed, marked_false or hidden.
	State string
	// Type and TypeName are a code such as "vuln_version" and its label.
	Type, TypeName string
	Host, Path     string
	// DiscoveredBy is a code such as "aasm".
	DiscoveredBy string
	// Incident says that it was exploited.
	Incident, Verified bool
	// Discovered is when it was found; the present when it is zero.
	Discovered time.Time
}

// AddSecurityIssue adds a security issue and returns its id.
func (c *Cloud) AddSecurityIssue(i SecurityIssue) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addSecurityIssue(i)
}

func (c *Cloud) addSecurityIssue(i SecurityIssue) int64 {
	t := c.tables["security_issues"]
	if i.Discovered.IsZero() {
		i.Discovered = c.Now()
	}
	id := i.ID
	if id == 0 {
		id = t.nextID()
	}
	host, path, kind := cmp.Or(i.Host, "shop.example.com"), cmp.Or(i.Path, "/"), cmp.Or(i.Type, "vuln_version")
	by := cmp.Or(i.DiscoveredBy, "aasm")
	t.put(id, obj(
		"id", id,
		"client_id", cmp.Or(i.ClientID, DefaultClientID),
		"severity", cmp.Or(i.Severity, "medium"),
		"state", cmp.Or(i.State, "open"),
		"volume", 1,
		"name", cmp.Or(i.Name, "Vulnerable component"),
		"created_at", i.Discovered.Unix(),
		"discovered_at", i.Discovered.Unix(),
		"discovered_by", by,
		"discovered_by_display_name", issueDiscoverer(by),
		"url", "https://"+host+path,
		"host", host,
		"path", path,
		"parameter_display_name", "",
		"parameter_position", "",
		"parameter_name", "",
		"http_method", http.MethodGet,
		"aasm_template", nil,
		"mitigations", obj("vpatch", obj("rule_id", nil)),
		"issue_type", obj("id", kind, "name", cmp.Or(i.TypeName, kind)),
		"owasp", []any{},
		"tags", []any{},
		"incident", i.Incident,
		"false_positive_rule_id", nil,
		"verified", i.Verified,
	))
	return id
}

func issueDiscoverer(code string) string {
	switch code {
	case "aasm":
		return "AASM"
	case "passive_detect":
		return "Passive detection"
	}
	return code
}

func (c *Cloud) initSecurityIssues() { c.newTable("security_issues", "client_id", 5101) }

func (c *Cloud) securityIssueRoutes() []route {
	return []route{
		{
			ids: "attacks:49", name: "securityIssues.list", method: http.MethodPost, pattern: "/v1/security_issues",
			handle: c.listSecurityIssues,
		},
		{
			ids: "attacks:50", name: "securityIssues.count", method: http.MethodPost, pattern: "/v1/security_issues/count",
			handle: func(q *call) (reply, error) {
				issues, err := c.selectIssues(q)
				return bare(obj("count", len(issues))), err
			},
		},
		{
			ids: "attacks:51", name: "securityIssues.groups", method: http.MethodPost, pattern: "/v1/security_issues/groups",
			handle: c.listIssueGroups,
		},
		{
			ids: "attacks:52", name: "securityIssues.groupCount", method: http.MethodPost,
			pattern: "/v1/security_issues/groups_count",
			handle: func(q *call) (reply, error) {
				issues, err := c.selectIssues(q)
				return bare(obj("count", len(issueGroups(issues)))), err
			},
		},
		{
			ids: "attacks:53", name: "securityIssues.get", method: http.MethodGet, pattern: "/v1/security_issues/{id}",
			handle: c.getSecurityIssue,
		},
	}
}

// issueColumns are the conditions; those of oneWay have no negation.
func issueColumns() columns[*object] {
	cols := objectColumns("client_id:int severity:string host:string state:string discovered_by:string id:int domain_id:int " +
		"subdomain_id:int issue_type=issue_type.id:string source_template=aasm_template:string created_since=created_at:time " +
		"discovered_since=discovered_at:time test_run_public_uuids:string verified:bool incident:bool")
	cols["group_id"] = column[*object]{kind: stringColumn, one: func(o *object) value { return stringOf(issueGroupID(o)) }}
	cols["owasp"] = column[*object]{kind: stringColumn, each: func(o *object, yield func(value) bool) {
		for _, e := range o.array("owasp") {
			category, _ := e.(*object)
			if !yield(stringOf(category.str("id"))) {
				return
			}
		}
	}}
	return cols
}

var issueOneWay = []string{"created_since", "discovered_since", "search_query", "test_run_public_uuids", "verified", "incident"}

// selectIssues returns the issues that the filter of the request selects. The
// client id stands beside the filter; a token may stand there too, and says
// nothing that the header does not.
func (c *Cloud) selectIssues(q *call) ([]*object, error) {
	clientID, err := q.clientParam("client_id", true)
	if err != nil {
		return nil, err
	}
	filter, err := q.filterObject(false)
	if err != nil {
		return nil, err
	}
	filter = filter.clone()
	for _, name := range issueOneWay {
		if v, sent := filter.lookup("!" + name); sent {
			return nil, errField("filter.!"+name, "invalid", v)
		}
	}
	query, sent := filter.lookup("search_query")
	text, isString := query.(string)
	if sent && !isString {
		return nil, errField("filter.search_query", "must be string", query)
	}
	filter.del("search_query")
	if err := q.checkOwner(filter, "client_id", false); err != nil {
		return nil, err
	}
	f, err := issueColumns().compile(filter)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(c.tables["security_issues"].visible(q), func(o *object) bool {
		return o.int("client_id") != clientID || !f.match(o) || !issueMentions(o, text)
	}), nil
}

func issueMentions(o *object, text string) bool {
	return slices.ContainsFunc([]string{"name", "url", "host", "path"}, func(member string) bool {
		return strings.Contains(strings.ToLower(o.str(member)), strings.ToLower(text))
	})
}

var issueSeverities = []string{"info", "low", "medium", "high", "critical"}

// issuePage orders rows by the order_by object of these routes and cuts them
// to the page, unless everything was asked for.
func issuePage(q *call, rows []*object) ([]*object, error) {
	if v := q.params.get("order_by"); v != nil {
		o, _ := v.(*object)
		direction := cmp.Or(o.str("direction"), "asc")
		if o.str("name") != "severity" || (direction != "asc" && direction != "desc") {
			return nil, errField("order_by", "invalid", v)
		}
		ordering[*object]{
			key:  func(o *object) value { return intOf(int64(slices.Index(issueSeverities, o.str("severity")))) },
			desc: direction == "desc",
		}.sort(rows)
	}
	unlimited, isBool := asBool(q.params.get("unlimited"))
	if v := q.params.get("unlimited"); v != nil && !isBool {
		return nil, errField("unlimited", "must be boolean", v)
	}
	if unlimited {
		return rows, nil
	}
	limit, offset, err := q.limits(paging{limit: 1000, max: 1000})
	return offsetPage(rows, limit, offset), err
}

// issueDetails are the members that only the read of one issue answers.
var issueDetails = obj(
	"credentials", []any{},
	"additional_info", "",
	"exploitation_examples", []any{},
	"oob_interaction", []any{},
	"passive_detect_incident", false,
	"description", "",
	"references", []any{},
	"mitigation", "",
	"cwe", []any{},
	"risk_info", obj(),
	"source", "",
	"issue_subtype", nil,
	"passive_detect_urls", []any{},
	"manual", false,
	"leaks_info", []any{},
	"url_active", true,
	"status_history", []any{},
	"recheckable", true,
	"last_recheck", nil,
	"known_cves", []any{},
)

func (c *Cloud) listSecurityIssues(q *call) (reply, error) {
	rows, err := c.selectIssues(q)
	if err != nil {
		return reply{}, err
	}
	page, err := issuePage(q, rows)
	if err != nil {
		return reply{}, err
	}
	list := make([]*object, len(page))
	for i, o := range page {
		list[i] = o.clone()
		for _, m := range issueDetails.members {
			list[i].del(m.name)
		}
	}
	return bare(list), nil
}

// issueGroupID is the same for issues with the same title, severity and
// discoverer.
func issueGroupID(o *object) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d\x00%s\x00%s\x00%s", o.int("client_id"), o.str("name"), o.str("severity"), o.str("discovered_by"))
	return fmt.Sprintf("grp-%016x", h.Sum64())
}

// issueGroups groups issues in the order of their first ones.
func issueGroups(issues []*object) []*object {
	var order []string
	members := map[string][]*object{}
	for _, o := range issues {
		id := issueGroupID(o)
		if members[id] == nil {
			order = append(order, id)
		}
		members[id] = append(members[id], o)
	}
	groups := make([]*object, 0, len(order))
	for _, id := range order {
		groups = append(groups, issueGroup(id, members[id]))
	}
	return groups
}

func issueGroup(id string, issues []*object) *object {
	first := issues[0]
	states := map[string]int{}
	hosts := map[string]bool{}
	for _, o := range issues {
		states[o.str("state")]++
		hosts[o.str("host")] = true
	}
	counts := obj("open", states["open"], "closed", states["closed"], "marked_false", states["marked_false"])
	if states["hidden"] > 0 {
		counts.set("hidden", states["hidden"])
	}
	return obj(
		"group_id", id,
		"title", first.get("name"),
		"severity", first.get("severity"),
		"discovered_by", first.get("discovered_by"),
		"discovered_by_display_name", first.get("discovered_by_display_name"),
		"issue_type", first.get("issue_type"),
		"security_issues_count", len(issues),
		"states", counts,
		"owasp", first.get("owasp"),
		"hosts_count", len(hosts),
		"first_host", first.get("host"),
		"client_id", first.get("client_id"),
		"tags", first.get("tags"),
	)
}

func (c *Cloud) listIssueGroups(q *call) (reply, error) {
	issues, err := c.selectIssues(q)
	if err != nil {
		return reply{}, err
	}
	page, err := issuePage(q, issueGroups(issues))
	return bare(page), err
}

// getSecurityIssue answers all that is known of an issue. What has no value
// of its own gets the empty one.
func (c *Cloud) getSecurityIssue(q *call) (reply, error) {
	clientID, err := q.clientParam("client_id", false)
	if err != nil {
		return reply{}, err
	}
	o, err := c.tables["security_issues"].byPath(q, "id")
	if err != nil {
		return reply{}, err
	}
	if o.int("client_id") != clientID {
		return reply{}, errNotFound()
	}
	view := o.clone()
	for _, m := range issueDetails.members {
		view.setDefault(m.name, m.value)
	}
	if len(view.array("status_history")) == 0 {
		view.set("status_history", []any{obj("state", view.get("state"))})
	}
	if view.str("source") == "" {
		view.set("source", view.get("discovered_by"))
	}
	return bare(view), nil
}
