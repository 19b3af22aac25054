package wallarm

import "reflect"

// validateQueryFilter refuses what a filter may say and a query cannot: an empty list that is not nil, and null. Both would be left out, and so select
// everything, where a filter that travels as JSON says [] or null. It comes before anything is sent, even the question for the client id.
func validateQueryFilter(filter any) error {
	v := reflect.ValueOf(filter)
	for i := range v.NumField() {
		field, name := v.Field(i), "filter."+v.Type().Field(i).Name
		if field.Kind() == reflect.Slice && !field.IsNil() && field.Len() == 0 {
			return invalid(name, "it is empty, which would select everything; leave it nil for no condition")
		}
		if o, ok := field.Interface().(interface{ IsNull() bool }); ok && o.IsNull() {
			return invalid(name, "it is null, which a query cannot say; leave it absent for no condition")
		}
	}
	return nil
}
