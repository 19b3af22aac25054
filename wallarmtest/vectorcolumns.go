package wallarmtest

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// vectorColumn is a column of the Attacks API over the same hits that the
// older routes list: each hit is one attack vector.
type vectorColumn struct {
	name, label, kind string
	// groups says that rows can be grouped by it.
	groups bool
	// globs says that * and ? in values match any text and any character.
	globs bool
	// part says that a value without them matches a part of the text.
	part bool
	// options are the fixed values.
	options []string
	values  func(r hitRow) []string
}

func single(get func(r hitRow) string) func(hitRow) []string {
	return func(r hitRow) []string {
		if s := get(r); s != "" {
			return []string{s}
		}
		return nil
	}
}

func noVectorValues(hitRow) []string { return nil }

var (
	attackLabels = map[string]string{
		"sqli": "SQL Injection", "xss": "Cross-site Scripting", "rce": "Remote Code Execution", "ptrav": "Path Traversal",
		"nosqli": "NoSQL Injection", "ssrf": "Server-side Request Forgery", "brute": "Brute Force", "scanner": "Scanner",
	}
	genericSubtypes = []string{"sqli", "nosqli", "rce", "ptrav", "xss", "ssti", "ssi", "ssrf"}
	attackCWEs      = map[string]string{
		"sqli": "CWE-89", "xss": "CWE-79", "rce": "CWE-78", "ptrav": "CWE-22", "nosqli": "CWE-943", "ssrf": "CWE-918", "crlf": "CWE-93",
	}
	attackCAPECs = map[string]string{"sqli": "CAPEC-66", "xss": "CAPEC-63", "rce": "CAPEC-88", "ptrav": "CAPEC-126"}
	attackOWASP  = map[string]string{
		"sqli": "A03:2021", "xss": "A03:2021", "rce": "A03:2021", "nosqli": "A03:2021", "ptrav": "A01:2021", "ssrf": "A10:2021",
	}
	statusClasses = []string{"1xx", "2xx", "3xx", "4xx", "5xx"}
	trueFalse     = []string{"true", "false"}
)

func (r hitRow) mark() string {
	switch r.hit().state {
	case stateFalsePositive:
		return "fp"
	case stateTruePositive:
		return "tp"
	}
	return ""
}

func (r hitRow) flagText(f hitFlags) string { return strconv.FormatBool(r.hit().flags&f != 0) }

func (r hitRow) subtype() string {
	kind := r.shape().kind
	if !slices.Contains(genericSubtypes, kind) {
		return ""
	}
	return kind + "_generic"
}

func (r hitRow) location() string {
	switch o := r.hit().origin; {
	case o.tor == "tor":
		return "tor"
	case o.datacenter != "unknown":
		return o.datacenter
	}
	return ""
}

func (r hitRow) authProtocols() []string {
	out := stringsOf(r.shape().authProtocol)
	for i, name := range out {
		if name == "awsv2" || name == "awsv4" {
			out[i] = "aws"
		}
	}
	return out
}

func (r hitRow) cves() []string {
	return slices.DeleteFunc(stringsOf(r.hit().payload.known), func(s string) bool { return !strings.HasPrefix(s, "CVE-") })
}

func (r hitRow) pointText() string {
	var parts []string
	for _, e := range r.shape().point {
		if s, isText := e.(string); isText {
			parts = append(parts, s)
		} else {
			parts = append(parts, string(appendJSON(nil, e)))
		}
	}
	return strings.Join(parts, ".")
}

// override returns the values that a seed has set for a column by a member of
// its Extra, for what hits have no place for: user, user_role, cwe_id, …
func (r hitRow) override(name string) ([]string, bool) {
	h := r.hit()
	if h.more == nil || !h.more.extra.has(name) {
		return nil, false
	}
	return stringsOf(h.more.extra.get(name)), true
}

// bucketNames are the time buckets, with the form of their values.
var bucketNames = map[string]func(t time.Time) string{
	"ts_hour": func(t time.Time) string { return t.Format("2006-01-02T15:00:00Z07:00") },
	"ts_day":  func(t time.Time) string { return t.Format(time.DateOnly) },
	"ts_week": func(t time.Time) string {
		return t.AddDate(0, 0, -int(t.Weekday()+6)%7).Format(time.DateOnly)
	},
	"ts_month": func(t time.Time) string { return t.Format("2006-01") },
}

// makeVectorColumns describes what rows can be grouped and filtered by.
func makeVectorColumns() []vectorColumn {
	shaped := func(get func(*shape) string) func(hitRow) []string {
		return single(func(r hitRow) string { return get(r.shape()) })
	}
	byType := func(values map[string]string) func(hitRow) []string {
		return single(func(r hitRow) string { return values[r.shape().kind] })
	}
	flag := func(name, label string, f hitFlags) vectorColumn {
		return vectorColumn{
			name: name, label: label, kind: "string", options: trueFalse,
			values: single(func(r hitRow) string { return r.flagText(f) }),
		}
	}
	return []vectorColumn{
		{name: "attack_type", label: "Attack Type", kind: "string", groups: true, globs: true, values: shaped(func(p *shape) string { return p.kind })},
		{name: "attack_subtype", label: "Attack Subtype", kind: "string", groups: true, globs: true, values: single(hitRow.subtype)},
		{name: "host", label: "Host", kind: "string", groups: true, globs: true, part: true, values: shaped(func(p *shape) string { return p.domain })},
		{name: "normalized_path", label: "Path", kind: "string", groups: true, globs: true, part: true, values: shaped(func(p *shape) string { return p.path })},
		{name: "ip", label: "IP", kind: "string", groups: true, globs: true, values: single(func(r hitRow) string { return r.hit().origin.ip })},
		{name: "point", label: "Parameter", kind: "string", groups: true, values: single(hitRow.pointText)},
		{name: "request_id", label: "Request ID", kind: "string", groups: true, values: single(func(r hitRow) string { return r.s.requestID(r.hit()) })},
		{name: "mitigation_control_id", label: "Mitigation Control", kind: "string", groups: true, values: noVectorValues},
		{name: "application_id", label: "Application", kind: "integer", values: shaped(func(p *shape) string { return strconv.FormatInt(p.poolID, 10) })},
		{name: "country", label: "Country", kind: "string", globs: true, values: single(func(r hitRow) string { return r.hit().origin.country })},
		{name: "method", label: "Method", kind: "string", values: shaped(func(p *shape) string { return p.method })},
		{
			name: "status_code", label: "Status Code", kind: "integer", options: []string{"2", "3", "4", "5", "200", "403", "404", "500"},
			values: single(func(r hitRow) string { return strconv.Itoa(int(r.hit().status)) }),
		},
		{
			name: "status_code_group", label: "Status Code Group", kind: "string", options: statusClasses,
			values: single(func(r hitRow) string { return strconv.Itoa(int(r.hit().status)/100) + "xx" }),
		},
		{
			name: "protocol", label: "Protocol", kind: "string", options: []string{"HTTP1.0", "HTTP1.1", "HTTP2", "Any HTTP", "Websocket"},
			values: single(func(hitRow) string { return "HTTP1.1" }),
		},
		{
			name: "scheme", label: "Scheme", kind: "string", options: []string{"http", "https", "ws", "wss", "grpc", "grpcs"},
			values: single(func(hitRow) string { return "https" }),
		},
		{
			name: "api_protocol", label: "API Protocol", kind: "string",
			options: []string{"web-form", "graphql", "rest", "grpc", "websocket", "webdav", "soap", "xml-rpc", "json-rpc"},
			values:  shaped(func(p *shape) string { return p.protocol }),
		},
		{
			name: "auth_protocol", label: "Authentication", kind: "string",
			options: []string{
				"api-key", "aws", "basic", "bearer", "cookie", "hawk", "jwt", "oauth1", "oauth2", "none", "openid", "digest", "ntlm", "scram", "spnego",
			},
			values: hitRow.authProtocols,
		},
		{
			name: "location_type", label: "Location Type", kind: "string",
			options: []string{
				"aws", "azure", "gce", "alibaba", "docean", "hetzner", "huawei", "ibm", "linode", "oracle", "ovh", "plusserver", "rackspace",
				"tencent", "tor",
			},
			values: single(hitRow.location),
		},
		{name: "user", label: "User", kind: "string", globs: true, part: true, values: noVectorValues},
		{name: "user_role", label: "User Role", kind: "string", values: noVectorValues},
		{name: "orig_session_id", label: "Session", kind: "string", values: noVectorValues},
		{name: "cve_id", label: "CVE", kind: "string", globs: true, values: hitRow.cves},
		{name: "cwe_id", label: "CWE", kind: "string", globs: true, values: byType(attackCWEs)},
		{name: "capec_id", label: "CAPEC", kind: "string", globs: true, values: byType(attackCAPECs)},
		{name: "owasp_category", label: "OWASP", kind: "string", globs: true, values: byType(attackOWASP)},
		{name: "mark", label: "Verification Status", kind: "string", options: []string{"tp", "fp", ""}, values: single(hitRow.mark)},
		{
			name: "security_issue_id", label: "Security Issue", kind: "integer",
			values: single(func(r hitRow) string {
				if h := r.hit(); h.more != nil && h.more.issueID != 0 {
					return strconv.FormatInt(h.more.issueID, 10)
				}
				return ""
			}),
		},
		{name: "uri_length", label: "URI Length", kind: "integer", values: shaped(func(p *shape) string { return strconv.Itoa(len(p.path)) })},
		{
			name: "stamp_id", label: "Signature", kind: "integer", values: func(r hitRow) []string {
				var out []string
				for _, v := range r.hit().payload.stamps {
					out = append(out, string(appendJSON(nil, v)))
				}
				return out
			},
		},
		flag("aasm_event", "Attack Surface Scan", flagAASM),
		flag("wallarm_scanner", "Wallarm Scanner", flagScanner),
		flag("experimental", "Experimental", flagExperimental),
		{
			name: "known", label: "Known Attack", kind: "string", options: trueFalse,
			values: single(func(r hitRow) string { return strconv.FormatBool(len(r.hit().payload.known) > 0) }),
		},
		{name: "known_false", label: "Known False Positive", kind: "string", options: trueFalse, values: single(func(hitRow) string { return "false" })},
		{name: "payload_search", label: "Payload", kind: "string", values: single(func(r hitRow) string { return r.hit().payload.value })},
		{name: "parameter_search", label: "Parameter Search", kind: "string", values: shaped(func(p *shape) string { return p.parameter })},
		{name: "context_param", label: "Context Parameter", kind: "key_value", values: noVectorValues},
	}
}

var vectorColumns = map[string]*vectorColumn{}

// vectorColumnOrder is the order in which the schema shows the columns.
var vectorColumnOrder []*vectorColumn

func init() {
	for _, column := range makeVectorColumns() {
		get := column.values
		column.values = func(r hitRow) []string {
			if values, set := r.override(column.name); set {
				return values
			}
			return get(r)
		}
		vectorColumns[column.name] = &column
		vectorColumnOrder = append(vectorColumnOrder, &column)
	}
}

// columnNamed finds a column; path is another name of normalized_path.
func columnNamed(name string) *vectorColumn {
	if name == "path" {
		name = "normalized_path"
	}
	return vectorColumns[name]
}

// contextParam are the values of a context parameter: seed them with Extra,
// {"context_params":{"tenant":"blue"}}.
func (r hitRow) contextParam(key string) []string {
	h := r.hit()
	if h.more == nil || h.more.extra == nil {
		return nil
	}
	return stringsOf(h.more.extra.object("context_params").get(key))
}

// metric is a number of a row.
type metric struct {
	name, label, kind string
	// distinct is the column whose distinct values the metric counts.
	distinct string
}

var metrics = []metric{
	{name: "requests_count", label: "Requests", kind: "integer"},
	{name: "attack_vectors_count", label: "Attack Vectors", kind: "integer"},
	{name: "blocked_count", label: "Blocked Requests", kind: "integer"},
	{name: "success_count", label: "Successful Requests", kind: "integer"},
	{name: "unique_ips", label: "Unique IPs", kind: "integer", distinct: "ip"},
	{name: "unique_paths", label: "Unique Paths", kind: "integer", distinct: "normalized_path"},
	{name: "unique_users", label: "Unique Users", kind: "integer", distinct: "user"},
	{name: "unique_user_roles", label: "Unique User Roles", kind: "integer", distinct: "user_role"},
	{name: "unique_endpoints", label: "Unique Endpoints", kind: "integer", distinct: "endpoint"},
	{name: "unique_parameters", label: "Unique Parameters", kind: "integer", distinct: "point"},
	{name: "unique_status_codes", label: "Unique Status Codes", kind: "integer", distinct: "status_code"},
	{name: "unique_orig_sessions", label: "Unique Sessions", kind: "integer", distinct: "orig_session_id"},
	{name: "request_size_sum", label: "Request Size", kind: "integer"},
	{name: "response_size_sum", label: "Response Size", kind: "integer"},
	{name: "response_time_avg", label: "Average Response Time", kind: "float"},
	{name: "response_time_max", label: "Longest Response Time", kind: "float"},
}

func metricNamed(name string) *metric {
	for i := range metrics {
		if metrics[i].name == name {
			return &metrics[i]
		}
	}
	return nil
}

// displayColumns are samples of values, by the column that they sample.
var displayColumns = map[string]string{
	"attack_types": "attack_type", "attack_subtypes": "attack_subtype", "hosts": "host", "paths": "normalized_path", "ips": "ip",
	"ip_addresses": "ip", "users": "user", "user_roles": "user_role", "countries": "country", "methods": "method",
	"status_codes": "status_code", "cve_ids": "cve_id", "cwe_ids": "cwe_id", "owasp_categories": "owasp_category", "capec_ids": "capec_id",
	"context_params": "context_param",
}

// rowColumns are the columns of a row that are neither metrics nor samples.
var rowColumns = []string{"status", "min_request_time", "max_request_time", "attack_name", "security_info"}

// ofRow tells whether conditions on a name select rows rather than vectors.
func ofRow(name string) bool {
	return metricNamed(name) != nil || name == "status" || name == "min_request_time" || name == "max_request_time"
}
