package wallarmtest

import (
	"net/http"
	"slices"
	"strings"
)

func (c *Cloud) ruleCatalogueRoutes() []route {
	return []route{
		{
			ids: "rules:7", name: "rules.mitigations", method: http.MethodGet,
			pattern: "/v4/clients/{client_id}/rules/mitigations", handle: c.listMitigations,
		},
		{
			ids: "rules:8", name: "rules.mitigationStats", method: http.MethodGet,
			pattern: "/v4/clients/{client_id}/rules/mitigations/stats", handle: c.mitigationStats,
		},
		{
			ids: "rules:9", name: "rules.credentialStuffing", method: http.MethodGet,
			pattern: "/v4/clients/{client_id}/credential_stuffing/configs", handle: c.credentialStuffing,
		},
		{
			ids: "attacks:23,rules:26", name: "rules.attackTypes", method: http.MethodGet,
			pattern: "/v2/attack_types", access: accessAnyone, handle: attackTypesByTarget,
		},
		{
			ids: "rules:42,infrastructure:TR-5", name: "rules.featureAttackTypes", method: http.MethodGet,
			pattern: "/v2/suggest/attack_types", access: accessAnyone, handle: attackTypesByFeature,
		},
		{
			ids: "rules:27", name: "rules.suggestSteps", method: http.MethodPost,
			pattern: "/v2/suggest/point", access: accessAnyone, handle: suggestSteps,
		},
		{
			ids: "rules:23", name: "regexes.list", method: http.MethodGet,
			pattern: "/v4/clients/{client_id}/rules/regexes", handle: c.listRegexes,
		},
		{
			ids: "rules:24", name: "regexes.get", method: http.MethodGet,
			pattern: "/v4/clients/{client_id}/rules/regexes/{id}", handle: c.getRegex,
		},
		{
			ids: "rules:25", name: "regexes.findRule", method: http.MethodPost,
			pattern: "/v3/clients/{client_id}/rules/find_regex_rule", handle: c.findRegexRule,
		},
	}
}

// rulesOf returns the rules of a client that a test accepts.
func (c *Cloud) rulesOf(clientID int64, test func(*object) bool) []*object {
	return slices.DeleteFunc(c.rules.all(), func(o *object) bool {
		return o.int("clientid") != clientID || !test(o)
	})
}

func (c *Cloud) listMitigations(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	groups := obj("graphql", []any{}, "wallarm_mode", []any{})
	for _, rule := range c.rulesOf(clientID, func(o *object) bool { return o.str("mitigation") != "" }) {
		name := rule.str("mitigation")
		groups.set(name, append(slices.Clone(groups.array(name)), any(rule)))
	}
	return ok(groups), nil
}

func (c *Cloud) mitigationStats(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	stats := obj()
	for _, rule := range c.rulesOf(clientID, func(o *object) bool { return o.str("mitigation") != "" }) {
		counts := stats.object(rule.str("mitigation"))
		if counts == nil {
			counts = obj("total", int64(0))
			stats.set(rule.str("mitigation"), counts)
		}
		counts.set("total", counts.int("total")+1)
		counts.set(rule.str("mode"), counts.int(rule.str("mode"))+1)
	}
	return ok(stats), nil
}

// credentialStuffing shows the rules that lists hide from most tokens.
func (c *Cloud) credentialStuffing(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	standard, custom := []any{}, []any{}
	for _, rule := range c.rulesOf(clientID, func(o *object) bool { return strings.HasPrefix(o.str("type"), "credentials_") }) {
		if rule.bool("system") {
			standard = append(standard, rule)
		} else {
			custom = append(custom, rule)
		}
	}
	return ok(obj("default", standard, "custom", custom)), nil
}

func attackTypesByTarget(*call) (reply, error) {
	return ok(obj(
		"server", anyList(strings.Fields("rce ptrav ssrf ssti ssi nosqli ldapi mail_injection mass_assignment scanner xxe")),
		"client", anyList(strings.Fields("xss crlf redir")),
		"database", anyList(strings.Fields("sqli")),
	)), nil
}

func attackTypesByFeature(*call) (reply, error) {
	known := strings.Fields(`warn xss sqli rce xxe ptrav crlf redir nosqli infoleak brute dirbust marker ldapi scanner bot bola
		mass_assignment apileak ssrf blocked_source api_abuse vectors credential_stuffing ssi mail_injection ssti invalid_xml
		overlimit_res data_bomb vpatch`)
	events := slices.DeleteFunc(slices.Clone(known), func(s string) bool { return s == "warn" || s == "marker" })
	body := obj("rules.vpatch", anyList(patchAttacks), "rules.regex", anyList(regexAttacks), "rules.disable_attack", anyList(patchAttacks))
	for _, feature := range []string{
		"events.attacks", "events.incidents", "events.vulns", "triggers.attacks", "triggers.incidents", "triggers.malicious_payload", "sessions",
	} {
		body.set(feature, anyList(events))
	}
	return ok(body.set("known", anyList(known)).set("test_runs", anyList(patchAttacks))), nil
}

// suggestSteps answers, for each chain of parsers, those that may come next.
func suggestSteps(q *call) (reply, error) {
	chains, isList := q.params.get("points").([]any)
	if mode := q.params.get("mode"); mode != nil && mode != "default" {
		return reply{}, errField("mode", "invalid", mode)
	}
	if !isList {
		return reply{}, errField("points", "must be an array", q.params.get("points"))
	}
	answers := []any{}
	for _, chain := range chains {
		if steps, isChain := chain.([]any); isChain && len(steps) == 0 {
			answers = append(answers, anyList(strings.Fields(pointRoots)))
			continue
		}
		if _, valid := flattenPoint(chain); !valid {
			return reply{}, errField("points", "invalid", chain)
		}
		var parsers []string
		for _, step := range chain.([]any) {
			parsers = append(parsers, step.([]any)[0].(string))
		}
		answers = append(answers, anyList(nextParsers(parsers)))
	}
	return ok(answers), nil
}

const pointRoots = "action_ext action_name get get_all get_name header header_all header_name path path_all post uri"

// decoders may stand behind almost everything.
const decoders = "base64 gzip htmljs json_doc jwt* percent xml"

// followers is the grammar of points: what may follow a parser. A star stands for the forms of the parser for one, all and names. The suffixes _all
// and _name have lines of their own where they differ.
var followers = map[string]string{
	"action_ext": decoders, "action_name": decoders, "path": decoders, "uri": decoders, "get_name": decoders, "header_name": decoders,
	"cookie_name": decoders, "hash_name": decoders, "multipart_name": decoders, "content_disp": decoders, "content_disp_name": decoders,
	"base64": decoders, "gzip": decoders, "htmljs": decoders, "percent": decoders, "jwt": decoders,
	"get": decoders + " gql array* hash*", "header": decoders + " array* cookie*",
	"post":            decoders + " form_urlencoded* multipart* grpc* gql",
	"form_urlencoded": decoders + " gql array* hash*", "form_urlencoded_name": decoders + " gql",
	"cookie": decoders + " array* hash*", "hash": decoders + " array* hash*", "array": decoders + " array* hash*",
	"multipart": decoders + " array* hash* file header*", "file": decoders + " header*",
	"json_doc": "array* hash*", "xml": "array* hash* xml_comment* xml_dtd xml_dtd_entity* xml_pi* xml_tag* xml_tag_array*",
	"xml_tag":       decoders + " array* hash* xml_attr* xml_comment* xml_pi* xml_tag* xml_tag_array*",
	"xml_tag_name":  decoders + " array* hash* xml_attr* xml_comment* xml_pi* xml_tag* xml_tag_array*",
	"xml_tag_array": decoders + " array* hash* xml_attr* xml_comment* xml_pi* xml_tag* xml_tag_array*",
	"xml_attr":      decoders, "xml_attr_name": decoders, "xml_comment": decoders, "xml_pi": decoders,
	"xml_dtd": decoders + " xml_comment*", "xml_dtd_entity": decoders + " xml_comment*",
	"grpc": decoders + " protobuf*", "protobuf": "protobuf_int32 protobuf_int64 protobuf_varint",
	"gql":              "gql_query* gql_mutation* gql_subscription* gql_fragment*",
	"gql_query":        "array* hash* gql_dir* gql_inline gql_spread* gql_var*",
	"gql_mutation":     "array* hash* gql_dir* gql_inline gql_spread* gql_var*",
	"gql_subscription": "array* hash* gql_dir* gql_inline gql_spread* gql_var*",
	"gql_fragment":     "array* hash* gql_dir* gql_inline gql_spread* gql_var* gql_type*",
	"gql_spread":       "array* gql_arg gql_dir*",
}

func nextParsers(chain []string) []string {
	last, under := chain[len(chain)-1], chain[:len(chain)-1]
	rules, found := followers[last]
	if !found {
		rules = followers[strings.TrimSuffix(last, "_all")]
	}
	base := strings.TrimSuffix(last, "_all")
	switch {
	case (base == "hash" || base == "array") && slices.Contains(under, "gql"):
		rules = "array* hash* gql_alias gql_arg gql_dir* gql_inline gql_spread*"
	case (base == "hash" || base == "array") && slices.Contains(under, "xml"):
		rules = followers["xml_tag"]
	case base == "header" && len(under) > 1:
		rules = decoders + " array* content_disp*"
	case last == "json_doc" && len(under) == 1 && under[0] == "post":
		rules += " gql"
	case last == "gzip" && len(under) == 1 && under[0] == "post":
		rules = followers["post"]
	}
	next := []string{}
	for _, name := range strings.Fields(rules) {
		base, starred := strings.CutSuffix(name, "*")
		next = append(next, base)
		if !starred {
			continue
		}
		next = append(next, base+"_all")
		if slices.Contains(stringKeyed, base) && base != "jwt" && !strings.HasPrefix(base, "gql_") {
			next = append(next, base+"_name")
		}
	}
	slices.Sort(next)
	return next
}

// listRegexes takes its filter from the query or from a body of the GET.
func (c *Cloud) listRegexes(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	filter, err := q.filterObject(true)
	if err != nil {
		return reply{}, err
	}
	if err := q.checkOwner(filter, "clientid", true); err != nil {
		return reply{}, err
	}
	types := map[int64]string{}
	for _, rule := range c.rules.all() {
		if rule.get("regex_id") != nil {
			types[rule.int("regex_id")] = rule.str("type")
		}
	}
	limit, offset, err := q.limits(paging{limit: 100, min: 1})
	if err != nil {
		return reply{}, err
	}
	wanted := stringsOf(filter.get("hint_type"))
	rows := slices.DeleteFunc(c.regexes.all(), func(o *object) bool {
		return o.int("clientid") != clientID || wanted != nil && !slices.Contains(wanted, types[o.int("id")])
	})
	return ok(offsetPage(rows, limit, offset)), nil
}

func (c *Cloud) getRegex(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	regex, err := c.regexes.byPath(q, "id")
	if err == nil && regex.int("clientid") != clientID {
		err = errNotFound()
	}
	return ok(regex), err
}

func (c *Cloud) findRegexRule(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	id, isInt := asInt(q.params.get("regex_id"))
	if !isInt {
		errs.add("regex_id", "invalid", q.params.get("regex_id"))
	}
	if _, valid := flatPoint(q.params.get("point")); !valid {
		errs.add("point", "invalid", q.params.get("point"))
	}
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	rules := c.rulesOf(clientID, func(o *object) bool {
		return o.int("regex_id") == id && o.str("type") != "disable_regex"
	})
	if len(rules) == 0 {
		return reply{}, errNotFound()
	}
	return ok(rules[0]), nil
}
