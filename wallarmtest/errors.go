package wallarmtest

import (
	"fmt"
	"net/http"
)

// apiError is a refusal on its way to the client: a status and the whole
// JSON document of the answer. The constructors below are the shapes of
// docs/wire/errors.md section 2.
type apiError struct {
	status int
	doc    any
	empty  bool
}

func (e *apiError) Error() string {
	return fmt.Sprintf("%d %s", e.status, appendJSON(nil, e.doc))
}

// errText is X1, a status and a text.
func errText(status int, text string) error {
	return &apiError{status: status, doc: obj("status", status, "body", text)}
}

// errInner is X6, a text under "error" inside the body, with the offending
// value when one is given.
func errInner(status int, text string, value ...any) error {
	body := obj("error", text)
	if len(value) > 0 {
		body.set("value", value[0])
	}
	return &apiError{status: status, doc: obj("status", status, "body", body)}
}

// errBodyOnly is X7, like X6 but without the status.
func errBodyOnly(status int, text string) error {
	return &apiError{status: status, doc: obj("body", obj("error", text))}
}

// errDoc is X8, X9 and X10: any document as the whole answer.
func errDoc(status int, doc any) error { return &apiError{status: status, doc: doc} }

// errEmpty is X12, a status without a body.
func errEmpty(status int) error { return &apiError{status: status, empty: true} }

func errUnauthenticated() error {
	return errText(http.StatusForbidden, "User not authenticated")
}

func errForbidden() error {
	return errText(http.StatusForbidden, "Check permissions failed")
}

func errNotFound() error { return errText(http.StatusNotFound, "Not found") }

func errAlreadyExists() error { return errText(http.StatusBadRequest, "Already exists") }

func errRulesLocked() error {
	return errText(http.StatusLocked, "Rules updates have been locked due to backup/restoring rules snapshot")
}

// fieldErrors collects the messages of a validation, in the order in which
// they are found: X2, and with nested maps X3. The zero value is ready.
type fieldErrors struct {
	fields object
}

// add notes a message for the field; several for one field are joined. The
// offending value is echoed when it is given.
func (f *fieldErrors) add(field, message string, value ...any) {
	entry, ok := f.fields.get(field).(*object)
	if !ok {
		entry = obj("error", message)
	} else if entry.has("error") {
		entry.set("error", entry.str("error")+", "+message)
	}
	if len(value) > 0 {
		entry.set("value", value[0])
	}
	f.fields.set(field, entry)
}

// addText notes a bare text for the field: X4.
func (f *fieldErrors) addText(field, message string) { f.fields.set(field, message) }

// addRule notes a message under the name of the broken rule: X5.
func (f *fieldErrors) addRule(field, rule, message string) {
	entry, ok := f.fields.get(field).(*object)
	if !ok {
		entry = obj()
	}
	f.fields.set(field, entry.set(rule, message))
}

// nest puts the errors of an object-valued field one level deeper: X3.
func (f *fieldErrors) nest(field string, inner *fieldErrors) {
	if !inner.empty() {
		f.fields.set(field, &inner.fields)
	}
}

func (f *fieldErrors) empty() bool { return f == nil || len(f.fields.members) == 0 }

// err is the 400 answer, or nil when nothing was noted.
func (f *fieldErrors) err() error {
	if f.empty() {
		return nil
	}
	return &apiError{
		status: http.StatusBadRequest,
		doc:    obj("status", http.StatusBadRequest, "body", &f.fields),
	}
}

// errField is a 400 for a single field.
func errField(field, message string, value ...any) error {
	var f fieldErrors
	f.add(field, message, value...)
	return f.err()
}
