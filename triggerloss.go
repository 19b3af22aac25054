package wallarm

import (
	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// lossOf says what writing the spec back would change of the trigger that it was read from, "" if nothing but enabled.
func (spec *TriggerSpec) lossOf(raw RawJSON) string {
	read, err := readObject(raw)
	if err != nil {
		return err.Error()
	}
	if spec.Template == "" {
		return "the answer has no template_id"
	}
	written, err := spec.members()
	if err != nil {
		return err.Error()
	}
	asWritten(read, spec.Template)
	delete(written, "enabled")
	return readBack{}.object("", written, read)
}

// members returns what travels of the spec.
func (spec *TriggerSpec) members() (jsonObject, error) {
	body, err := spec.request()
	if err != nil {
		return nil, err
	}
	data, err := wire.Marshal(body)
	if err != nil {
		return nil, err
	}
	outer, err := readObject(data)
	if err != nil {
		return nil, err
	}
	return readObject(outer["trigger"])
}

// asWritten turns a trigger as it was read into the form in which triggers are written.
func asWritten(read jsonObject, template TriggerTemplate) {
	if comment, ok := read["comment"]; ok && comment.Kind() == 'n' {
		read["comment"] = RawJSON(`""`)
	}
	echo := withoutEcho(read)
	threshold, ok := read["threshold"]
	switch nothing := !ok || threshold.Kind() == 'n' || string(threshold) == "{}"; {
	case nothing && echo != nil:
		read["threshold"] = echo
	case nothing && soleElement(read["thresholds"]) != nil:
		read["threshold"] = soleElement(read["thresholds"])
	case nothing && (ok || template.takesNoThreshold()):
		read["threshold"] = RawJSON("null")
	}
	completeThreshold(read)
	// These only answers have, and the last is what is to change.
	for _, name := range []string{"id", "client_id", "template", "created_at", "updated_at", "enabled"} {
		delete(read, name)
	}
	// One threshold is the one that is written; a second would be lost.
	if !hasSeveral(read["thresholds"]) {
		delete(read, "thresholds")
	}
}

// takesNoThreshold reports whether answers may leave the threshold of a trigger out, since the template has none.
func (t TriggerTemplate) takesNoThreshold() bool {
	switch t {
	case TriggerUserCreated, TriggerIPDenylisted, TriggerAPIChanged, TriggerRogueAPI, TriggerCompromisedLogins, TriggerIPGrouping:
		return true
	}
	return false
}

// withoutEcho takes the threshold out of the filters and returns it, nil if it is not there or not one.
func withoutEcho(read jsonObject) RawJSON {
	filters, ok := read["filters"]
	if !ok || filters.Kind() != '[' {
		return nil
	}
	elements, err := wire.DecodeElements[RawJSON](filters, nil)
	if err != nil {
		return nil
	}
	var echo RawJSON
	kept := make([]RawJSON, 0, len(elements))
	for _, element := range elements {
		filter, err := readObject(element)
		if err != nil || string(filter["id"]) != `"threshold"` || hasSeveral(filter["values"]) {
			kept = append(kept, element)
			continue
		}
		threshold, err := readObject(soleElement(filter["values"]))
		if err != nil {
			continue
		}
		if operator, ok := filter["operator"]; ok {
			threshold["operator"] = operator
		}
		echo, _ = wire.Marshal(threshold)
	}
	read["filters"], _ = wire.Marshal(kept)
	return echo
}

// soleElement returns the element of a list that has one, else nil.
func soleElement(list RawJSON) RawJSON {
	if elements := elementsOf(list); len(elements) == 1 {
		return elements[0]
	}
	return nil
}

func hasSeveral(list RawJSON) bool { return len(elementsOf(list)) > 1 }

// elementsOf returns the elements of a list, none of what is not one.
func elementsOf(list RawJSON) []RawJSON {
	if list.Kind() != '[' {
		return nil
	}
	elements, err := wire.DecodeElements[RawJSON](list, nil)
	if err != nil {
		return nil
	}
	return elements
}

// completeThreshold adds the list of operators, which answers leave out, and which always is the same.
func completeThreshold(read jsonObject) {
	threshold, err := readObject(read["threshold"])
	if err != nil || len(threshold) == 0 {
		return
	}
	if operators, ok := threshold["allowed_operators"]; !ok || operators.Kind() == 'n' {
		threshold["allowed_operators"] = RawJSON(`["gt"]`)
	}
	read["threshold"], _ = wire.Marshal(threshold)
}
