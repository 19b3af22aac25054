package wallarmtest

import "strings"

// ruleType is what the service knows of a type of rule. The tables are those
// of docs/wire/rules.md section 5.
type ruleType struct {
	fields      []ruleField
	variativity bool     // default of variativity_disabled
	update      []string // what PUT changes besides the common fields
	mitigation  string
	counter     string // prefix of the assigned counter; counters cannot be changed or deleted
	extended    bool   // wants an extended administrator
	elevated    bool   // listed for extended administrators only
}

// ruleField is one type-specific field.
type ruleField struct {
	name     string
	required bool
	fallback any // filled in when an optional field is left out
	check    func(v any, rule *object) (stored any, messages *fieldErrors)
	blank    string // range message that precedes "can't be blank"
}

var (
	patchAttacks = strings.Fields(`xss sqli rce xxe ptrav crlf redir nosqli ldapi scanner mass_assignment ssrf ssi
		mail_injection ssti any invalid_xml`)
	regexAttacks = strings.Fields(`xss sqli rce xxe ptrav crlf redir nosqli ldapi scanner mass_assignment ssrf ssi
		mail_injection ssti vpatch`)
	parserNames = strings.Fields(`base64 cookie form_urlencoded gql grpc gzip htmljs json_doc jwt multipart percent
		protobuf viewstate xml`)
	inheritedModes = []string{"default", "off", "monitoring", "block"}
	controlModes   = []string{"monitoring", "block"}
)

func need(name string, check checker) ruleField {
	return ruleField{name: name, required: true, check: check.run, blank: check.blank}
}

func may(name string, fallback any, check checker) ruleField {
	return ruleField{name: name, fallback: fallback, check: check.run}
}

var (
	pointField       = need("point", points)
	credentialFields = func(own ...ruleField) []ruleField {
		return append(own, may("cred_stuff_type", "default", oneOf("default", "custom")))
	}
)

// threshold describes the five controls that count and then react.
func threshold(attackType, mitigation string, enumerated bool) ruleType {
	t := ruleType{
		variativity: true, mitigation: mitigation,
		update: []string{"threshold", "reaction"},
		fields: []ruleField{
			need("mode", oneOf(controlModes...)),
			need("threshold", thresholds),
			need("reaction", reactions),
			may("attack_type", attackType, oneOf(attackType)),
			may("advanced_conditions", []any{}, advancedConditions),
			may("arbitrary_conditions", []any{}, arbitraryConditions),
		},
	}
	if enumerated {
		t.update = append(t.update, "enumerated_parameters")
		t.fields = append(t.fields, need("enumerated_parameters", enumeratedParameters))
	}
	return t
}

func detector() ruleType {
	return ruleType{
		variativity: true, update: []string{"regex"},
		fields: []ruleField{need("attack_type", oneOf(regexAttacks...)), pointField, need("regex", text)},
	}
}

var ruleTypes = map[string]ruleType{
	"vpatch": {
		variativity: true, update: []string{"attack_type"},
		fields: []ruleField{need("attack_type", oneOf(patchAttacks...)), pointField},
	},
	"wallarm_mode": {
		variativity: true, update: []string{"mode"}, mitigation: "wallarm_mode",
		fields: []ruleField{need("mode", oneOf("default", "off", "monitoring", "block", "safe_blocking"))},
	},
	"api_abuse_mode": {
		variativity: true, update: []string{"mode"},
		fields: []ruleField{need("mode", oneOf("enabled", "disabled"))},
	},
	"disable_attack_type": {
		update: []string{"attack_type"},
		fields: []ruleField{need("attack_type", oneOf(patchAttacks...)), pointField},
	},
	"disable_stamp": {
		update: []string{"stamp"}, extended: true,
		fields: []ruleField{need("stamp", atLeast(1)), pointField},
	},
	"regex":              detector(),
	"experimental_regex": detector(),
	"disable_regex": {
		fields: []ruleField{need("regex_id", atLeast(1)), pointField},
	},
	"binary_data":    {fields: []ruleField{pointField}},
	"sensitive_data": {variativity: true, fields: []ruleField{pointField}},
	"uploads": {
		update: []string{"file_type"},
		fields: []ruleField{pointField, need("file_type", oneOf("docs", "html", "images", "music", "video"))},
	},
	"set_response_header": {
		variativity: true, update: []string{"mode", "name", "values"},
		fields: []ruleField{
			need("mode", oneOf("append", "replace")), need("name", text), need("values", texts),
		},
	},
	"parser_state": {
		update: []string{"parser", "state"},
		fields: []ruleField{
			need("parser", oneOf(parserNames...)), need("state", oneOf("enabled", "disabled")), pointField,
		},
	},
	"overlimit_res_settings": {
		update: []string{"mode", "overlimit_time"},
		fields: []ruleField{
			need("overlimit_time", within(0, 2147483647)),
			may("mode", "monitoring", oneOf("off", "monitoring", "blocking")),
		},
	},
	"rate_limit": {
		variativity: true, update: []string{"delay", "burst", "rate", "rsp_status", "time_unit"},
		fields: []ruleField{
			need("point", clientPoints),
			need("rate", within(0, 1000)),
			need("rsp_status", within(400, 599)),
			may("burst", int64(0), within(0, 1000)),
			may("delay", int64(0), within(0, 1000)),
			may("time_unit", "rps", oneOf("rps", "rpm")),
		},
	},
	"brute":           threshold("brute", "brute", true),
	"bola":            threshold("bola", "bola", true),
	"enum":            threshold("enum", "enum", true),
	"forced_browsing": threshold("dirbust", "forced_browsing", false),
	"rate_limit_enum": threshold("rate_limit", "rate_limit_enum", false),
	"graphql_detection": {
		variativity: true, mitigation: "graphql",
		update: strings.Fields(`mode max_depth max_value_size_kb max_doc_size_kb max_aliases max_doc_per_batch
			introspection debug_enabled`),
		fields: []ruleField{
			need("mode", oneOf(inheritedModes...)),
			may("max_depth", int64(10), within(1, 100)),
			may("max_value_size_kb", int64(10), within(1, 100)),
			may("max_doc_size_kb", int64(100), within(1, 1024)),
			may("max_doc_per_batch", int64(10), within(1, 100)),
			may("max_aliases", int64(5), atLeast(1)),
			may("introspection", true, boolean),
			may("debug_enabled", true, boolean),
		},
	},
	"file_upload_size_limit": {
		mitigation: "file_upload_policy", update: []string{"mode", "size"},
		fields: []ruleField{
			need("size", sizes),
			may("point", nil, points),
			may("mode", "monitoring", oneOf(inheritedModes...)),
			may("size_unit", "b", oneOf("b", "kb", "mb", "gb", "tb")),
		},
	},
	"brute_counter":   {variativity: true, counter: "b"},
	"dirbust_counter": {variativity: true, counter: "d"},
	"bola_counter":    {variativity: true, counter: "i"},
	"credentials_point": {
		elevated: true, update: []string{"cred_stuff_type"},
		fields: credentialFields(pointField, need("login_point", points)),
	},
	"credentials_regex": {
		elevated: true, update: []string{"regex", "login_regex", "case_sensitive", "cred_stuff_type"},
		fields: credentialFields(
			need("regex", text), need("login_regex", shortText), need("case_sensitive", boolean),
		),
	},
}
