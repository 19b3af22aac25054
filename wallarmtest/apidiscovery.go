package wallarmtest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
)

func (c *Cloud) apiDiscoveryRoutes() []route {
	const config = "/v1/clients/{client_id}/apid/config"
	return []route{
		{
			ids: "infrastructure:AD-1", name: "apidiscovery.config", method: http.MethodGet, pattern: config,
			handle: c.getAPIDConfig,
		},
		{
			ids: "infrastructure:AD-2", name: "apidiscovery.replaceConfig", method: http.MethodPost, pattern: config,
			writes: true, handle: c.replaceAPIDConfig,
		},
		{
			ids: "infrastructure:AD-3", name: "apidiscovery.authParameters", method: http.MethodGet,
			pattern: config + "/auth-parameters", handle: c.listAuthParameters,
		},
		{
			ids: "infrastructure:AD-4", name: "apidiscovery.addAuthParameter", method: http.MethodPost,
			pattern: config + "/auth-parameters", writes: true, handle: c.addAuthParameter,
		},
	}
}

// initAPIDiscovery makes the tables. Objects of "api_endpoints" may hold
// risk_factors, and those of "api_parameters" name their endpoint_id; both
// are left out of answers that do not have them.
func (c *Cloud) initAPIDiscovery() {
	c.newTable("api_discovery_configs", "clientid", 4301)
	c.newTable("api_auth_parameters", "clientid", 4401)
	c.newTable("api_endpoints", "clientid", 71001)
	c.newTable("api_parameters", "clientid", 81001)
}

// apidField is a member of the configuration: a value with a check, or an
// object with members of its own.
type apidField struct {
	name     string
	fallback any
	check    func(v any) string
	fields   []apidField
}

var apidConfigFields = []apidField{
	{"enabled", true, apidBool, nil},
	{"protocols", nil, nil, apidBools(true, "rest", "graphql", "soap", "grpc", "mcp")},
	{"apply_extended_filter", true, apidBool, nil},
	{"type_detection_threshold", json.Number("0.5"), apidNumber(0, 1), nil},
	{"pii_detection_threshold", json.Number("0.1"), apidNumber(0, 1), nil},
	{"call_points_storage_limit", int64(50000), apidWhole(0, math.MaxInt64), nil},
	{"sensitive_samples", nil, nil, []apidField{
		{"enabled", false, apidBool, nil},
		{"min_masked", int64(20), apidWhole(0, 100), nil},
		{"max_masked", int64(80), apidWhole(0, 100), nil},
		{"mask_symbols", false, apidBool, nil},
	}},
	{"disabled_apps", []any{}, apidList(apidWhole(math.MinInt64, math.MaxInt64)), nil},
	{"endpoint_stability", nil, nil, []apidField{
		{"min_count", int64(2), apidWhole(1, 100), nil},
		{"min_time", int64(300), apidWhole(1, 900), nil},
	}},
	{"group_soap", false, apidBool, nil},
	{"server_variability", nil, nil, append(
		apidBools(false, "enabled", "by_date_enabled", "by_local_code_enabled", "by_email_enabled", "by_alphanumeric_id_enabled"),
		apidField{"by_custom_paths", nil, nil, []apidField{
			{"enabled", false, apidBool, nil},
			{"paths", []any{}, apidList(checkString), nil},
		}},
	)},
	{"allowed_content_types_patterns", []any{"text/xml", "application/%json"}, apidList(checkString), nil},
	{"extensions_whitelist", nil, nil, []apidField{
		{"enabled", false, apidBool, nil},
		{"extensions", []any{""}, apidList(checkString), nil},
	}},
}

func apidBools(fallback bool, names ...string) []apidField {
	fields := make([]apidField, len(names))
	for i, name := range names {
		fields[i] = apidField{name, fallback, apidBool, nil}
	}
	return fields
}

func apidBool(v any) string {
	if _, isBool := v.(bool); !isBool {
		return "must be boolean"
	}
	return ""
}

func apidNumber(low, high float64) func(any) string {
	return func(v any) string {
		_, isText := v.(string)
		n, isNumber := asFloat(v)
		switch {
		case !isNumber || isText:
			return "invalid"
		case n < low || n > high:
			return fmt.Sprintf("should be in %v..%v", low, high)
		}
		return ""
	}
}

func apidWhole(low, high int64) func(any) string {
	return func(v any) string {
		n, isInt := v.(int64)
		switch {
		case !isInt:
			return "invalid"
		case n < low || n > high:
			return fmt.Sprintf("should be in %d..%d", low, high)
		}
		return ""
	}
}

func apidList(element func(any) string) func(any) string {
	return func(v any) string {
		list, isList := v.([]any)
		if !isList {
			return "must be an array"
		}
		for _, e := range list {
			if message := element(e); message != "" {
				return message
			}
		}
		return ""
	}
}

// asFloat reads a number of any form without minding its digits.
func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	return 0, false
}

// readAPIDConfig checks the members that the fields name and fills in what is
// missing. Members that nobody knows are kept.
func readAPIDConfig(in *object, fields []apidField, errs *fieldErrors) *object {
	out := in.clone()
	for _, f := range fields {
		v, sent := in.lookup(f.name)
		inner, isObject := v.(*object)
		switch {
		case f.fields == nil && !sent:
			out.set(f.name, f.fallback)
		case f.fields == nil:
			if message := f.check(v); message != "" {
				errs.add(f.name, message, v)
			}
		case sent && !isObject:
			errs.add(f.name, "invalid", v)
		default:
			var nested fieldErrors
			out.set(f.name, readAPIDConfig(inner, f.fields, &nested))
			errs.nest(f.name, &nested)
		}
	}
	return out
}

// apidConfig is the configuration of a client and whether it was ever set.
func (c *Cloud) apidConfig(clientID int64) (*object, bool) {
	stored := c.tables["api_discovery_configs"].find(func(o *object) bool { return o.int("clientid") == clientID })
	if stored != nil {
		return stored, true
	}
	return readAPIDConfig(obj(), apidConfigFields, &fieldErrors{}), false
}

func (c *Cloud) getAPIDConfig(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	config, _ := c.apidConfig(clientID)
	return ok(dropMembers(config, "id", "clientid")), nil
}

// dropMembers copies the object but for some members.
func dropMembers(o *object, names ...string) *object {
	out := o.clone()
	for _, name := range names {
		out.del(name)
	}
	return out
}

// replaceAPIDConfig replaces the whole configuration and answers a text.
func (c *Cloud) replaceAPIDConfig(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	var errs fieldErrors
	switch v, isInt := q.params.get("clientid").(int64); {
	case !q.params.has("clientid"):
		errs.add("clientid", "required")
	case !isInt || v != clientID:
		errs.add("clientid", "invalid", q.params.get("clientid"))
	}
	config := readAPIDConfig(dropMembers(q.params, "id"), apidConfigFields, &errs)
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	before, exists := c.apidConfig(clientID)
	configs := c.tables["api_discovery_configs"]
	if exists {
		configs.put(before.int("id"), config.set("id", before.int("id")))
	} else {
		config = configs.insert(config)
	}
	q.changed("api_discovery_configs", "update", before, config)
	return ok("OK"), nil
}

// defaultAuthParameters are there for every client.
var defaultAuthParameters = [][]any{{"header", "AUTHORIZATION"}, {"header", "X-API-KEY"}}

func (c *Cloud) listAuthParameters(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	list := []any{}
	for _, point := range defaultAuthParameters {
		list = append(list, obj("point", point))
	}
	for _, o := range c.tables["api_auth_parameters"].visible(q) {
		if o.int("clientid") == clientID {
			list = append(list, dropMembers(o, "clientid"))
		}
	}
	return ok(list), nil
}

// addAuthParameter takes the path in an outer array and, as the table of the
// documentation has it, without. The same one may be added twice.
func (c *Cloud) addAuthParameter(q *call) (reply, error) {
	clientID, err := q.pathClient("client_id")
	if err != nil {
		return reply{}, err
	}
	sent := q.params.get("point")
	if sent == nil {
		return reply{}, errField("point", "required")
	}
	point := sent
	if outer, isList := sent.([]any); isList && len(outer) == 1 {
		point = outer[0]
	}
	flat, valid := flatPoint(point)
	if !valid {
		return reply{}, errField("point", "invalid", sent)
	}
	parameter := c.tables["api_auth_parameters"].insert(obj("clientid", clientID, "point", flat))
	q.changed("api_auth_parameters", "create", nil, parameter)
	return ok(dropMembers(parameter, "clientid")), nil
}
