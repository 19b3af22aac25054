package wallarmtest

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// call is one request as a handler sees it.
type call struct {
	cloud *Cloud
	route *route
	http  *http.Request
	who   *identity
	now   time.Time
	path  map[string]string
	body  []byte
	// params are the members of the JSON body; where the API takes form or
	// query parameters too, those are below the body.
	params *object
	// payload is the JSON body itself, for the routes that take no object.
	payload any
}

// readParams collects the parameters. The first generation of POST routes
// takes JSON alone; all others take JSON, form and query alike, and a GET or
// DELETE may carry a JSON body.
func (q *call) readParams() error {
	q.params = obj()
	strict := strings.HasPrefix(q.route.pattern, "/v1/") && q.http.Method == http.MethodPost
	if !strict {
		q.params = parseBracketed(q.http.URL.RawQuery)
	}
	if len(bytes.TrimSpace(q.body)) == 0 {
		return nil
	}
	kind, options, _ := mime.ParseMediaType(q.http.Header.Get("Content-Type"))
	switch {
	case kind == "application/x-www-form-urlencoded" && !strict && !looksLikeJSON(q.body):
		q.params.merge(parseBracketed(string(q.body)))
		return nil
	case kind == "multipart/form-data":
		return q.readMultipart(options["boundary"])
	}
	v, err := parseJSON(q.body)
	if err != nil {
		return errText(http.StatusBadRequest, "Invalid JSON")
	}
	q.payload = v
	if o, isObject := v.(*object); isObject {
		q.params.merge(o)
	}
	return nil
}

func looksLikeJSON(body []byte) bool {
	trimmed := bytes.TrimSpace(body)
	return len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[')
}

func (q *call) readMultipart(boundary string) error {
	parts := multipart.NewReader(bytes.NewReader(q.body), boundary)
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errText(http.StatusBadRequest, "Invalid multipart body")
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return errText(http.StatusBadRequest, "Invalid multipart body")
		}
		setBracketed(q.params, part.FormName(), string(data))
	}
}

// pathInt reads an integer path parameter; anything else is not found.
func (q *call) pathInt(name string) (int64, error) {
	n, err := strconv.ParseInt(q.path[name], 10, 64)
	if err != nil {
		return 0, errNotFound()
	}
	return n, nil
}

// pathClient reads a client id from the path and refuses it when the caller
// does not see that client.
func (q *call) pathClient(name string) (int64, error) {
	id, err := q.pathInt(name)
	if err != nil {
		return 0, err
	}
	if !q.who.sees(id) {
		return 0, errForbidden()
	}
	return id, nil
}

// filterObject returns the filter of the request. Old exporters send an
// array that holds one object; it is accepted as that object.
func (q *call) filterObject(required bool) (*object, error) {
	v := q.params.get("filter")
	if list, isList := v.([]any); isList && len(list) == 1 {
		v = list[0]
	}
	switch v := v.(type) {
	case *object:
		return v, nil
	case nil:
		if required {
			return nil, errField("filter", "required")
		}
		return obj(), nil
	}
	return nil, errField("filter", "invalid", v)
}

// checkOwner refuses a filter that names a client which the caller does not
// see, and one without a client id where the route insists on it.
func (q *call) checkOwner(filter *object, owner string, required bool) error {
	v, sent := filter.lookup(owner)
	if !sent || v == nil {
		if required {
			return errField("filter."+owner, "required")
		}
		return nil
	}
	for _, e := range asList(v) {
		id, isInt := asInt(e)
		if !isInt {
			return errField("filter."+owner, "invalid", v)
		}
		if !q.who.sees(id) {
			return errForbidden()
		}
	}
	return nil
}

// clientParam reads a client id from a parameter of the body. When it is not
// required, the caller's own client stands in for it.
func (q *call) clientParam(name string, required bool) (int64, error) {
	v := q.params.get(name)
	if v == nil {
		if required {
			return 0, errField(name, "can't be blank")
		}
		return q.who.clientID, nil
	}
	id, isInt := asInt(v)
	if !isInt {
		return 0, errField(name, "invalid", v)
	}
	if !q.who.sees(id) {
		return 0, errForbidden()
	}
	return id, nil
}

// changed tells the observers (the activity log) of a change. before is nil
// for a create, after is nil for a delete.
func (q *call) changed(kind, action string, before, after *object) {
	for _, observe := range q.cloud.observers {
		observe(q, change{kind: kind, action: action, before: before, after: after})
	}
}

// change is one change of state, as observers see it.
type change struct {
	kind, action  string
	before, after *object
}

func (ch change) String() string { return fmt.Sprintf("%s %s", ch.action, ch.kind) }
