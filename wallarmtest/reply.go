package wallarmtest

import "net/http"

// reply is a successful answer. Its document is encoded after the state lock
// has been released, so it must hold immutable values only.
type reply struct {
	status      int
	doc         any
	empty       bool
	raw         []byte
	contentType string
	header      http.Header
}

// withStatus changes the HTTP status and, where the envelope repeats it, the
// inner one.
func (r reply) withStatus(status int) reply {
	r.status = status
	if o, ok := r.doc.(*object); ok && o.has("status") {
		r.doc = o.clone().set("status", status)
	}
	return r
}

func bare(doc any) reply { return reply{status: http.StatusOK, doc: doc} }

// ok is E1, E2, E14 and E15: status beside body.
func ok(body any) reply {
	return bare(obj("status", http.StatusOK, "body", body))
}

// okObjects is E3: the list under body.objects, with the status.
func okObjects(list any) reply { return ok(obj("objects", list)) }

// objectsOnly is E4: the list under body.objects, without a status.
func objectsOnly(list any) reply { return bodyOnly(obj("objects", list)) }

// continuation is E5: the list and the key of the next page, nil on the last.
func continuation(list any, next any) reply {
	return bodyOnly(obj("objects", list, "continuation", next))
}

// resultObject is E6: what was done and the object it was done to.
func resultObject(result string, object any) reply {
	return bodyOnly(obj("result", result, "object", object))
}

// bodyOnly is E7 and E20: the body without a status.
func bodyOnly(body any) reply { return bare(obj("body", body)) }

// named is E8: the value under a name of its own.
func named(name string, value any) reply { return bare(obj(name, value)) }

// statusOnly is E13 without a body.
func statusOnly() reply { return bare(obj("status", http.StatusOK)) }

// statusNull is E13 with a null body.
func statusNull() reply { return ok(nil) }

// noBody is E16: a status and nothing else.
func noBody(status int) reply { return reply{status: status, empty: true} }

// file is E17: bytes that are not JSON.
func file(contentType string, data []byte) reply {
	return reply{status: http.StatusOK, raw: data, contentType: contentType}
}

// okCursor is E19: the cursor beside the body, left out on the last page.
func okCursor(list any, cursor string) reply {
	doc := obj("status", http.StatusOK, "body", list)
	if cursor != "" {
		doc.set("cursor", cursor)
	}
	return bare(doc)
}
