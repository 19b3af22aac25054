package wallarmtest

import (
	"slices"
	"strings"
)

// stringKeyed and intKeyed are the parsers that take a key; all others stand
// alone.
var (
	stringKeyed = strings.Fields(`header cookie get hash form_urlencoded multipart content_disp response_header jwt
		json json_obj xml_tag xml_attr protobuf gql_query gql_mutation gql_subscription gql_fragment gql_dir
		gql_spread gql_type gql_var viewstate_dict viewstate_sparse_array`)
	intKeyed = strings.Fields(`path array json_array grpc xml_pi xml_dtd_entity xml_tag_array xml_comment
		viewstate_array viewstate_pair viewstate_triplet`)
	simpleParsers = strings.Fields(`post json_doc xml uri action_name action_ext route remote_addr response_body
		file base64 gzip htmljs percent hex pollution gql gql_alias gql_arg gql_inline viewstate
		viewstate_dict_key viewstate_dict_value protobuf_int32 protobuf_int64 protobuf_varint xml_dtd`)
)

// flattenPoint turns the 2-D point of a request into the flat one of every
// answer. It is false for a point that is not well formed.
func flattenPoint(v any) ([]any, bool) {
	steps, isList := v.([]any)
	if !isList || len(steps) == 0 {
		return nil, false
	}
	flat := []any{}
	for _, e := range steps {
		step, isStep := e.([]any)
		if !isStep || !validStep(step) {
			return nil, false
		}
		if step[0] == "header" {
			step = []any{"header", strings.ToUpper(step[1].(string))}
		}
		flat = append(flat, step...)
	}
	return flat, true
}

func validStep(step []any) bool {
	if len(step) == 0 {
		return false
	}
	name, _ := step[0].(string)
	switch {
	case slices.Contains(stringKeyed, name):
		return len(step) == 2 && isScalarKey(step[1])
	case slices.Contains(intKeyed, name):
		if len(step) != 2 {
			return false
		}
		_, isInt := step[1].(int64)
		return isInt
	}
	known := slices.Contains(simpleParsers, name)
	if base, isAll := strings.CutSuffix(name, "_all"); isAll {
		known = known || slices.Contains(stringKeyed, base) || slices.Contains(intKeyed, base)
	}
	if base, isName := strings.CutSuffix(name, "_name"); isName {
		known = known || slices.Contains(stringKeyed, base)
	}
	return known && len(step) == 1
}

func isScalarKey(v any) bool {
	_, isString := v.(string)
	return isString
}

// flatPoint accepts a point that travels flat in both directions.
func flatPoint(v any) ([]any, bool) {
	flat, isList := v.([]any)
	if !isList || len(flat) == 0 {
		return nil, false
	}
	for i := 0; i < len(flat); {
		name, _ := flat[i].(string)
		width := 1
		if slices.Contains(stringKeyed, name) || slices.Contains(intKeyed, name) {
			width = 2
		}
		if i+width > len(flat) || !validStep(flat[i:i+width]) {
			return nil, false
		}
		i += width
	}
	return flat, true
}
