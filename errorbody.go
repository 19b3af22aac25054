package wallarm

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/redact"
	"github.com/wallarm-sdk/wallarm/internal/wire"
)

const (
	maxMessage     = 512
	maxFields      = 100
	maxFieldLevels = 8
)

// newAPIError reads an error answer. It takes all shapes that docs/wire/errors.md lists and never fails: what it cannot read stays
// as an excerpt.
func newAPIError(status int, header http.Header, body []byte) *APIError {
	e := &APIError{StatusCode: status, RequestID: requestID(header)}
	isJSON := e.read(body)
	e.Body = redact.Body(body)
	e.kind, e.also = kindOf(status, e.Message, isJSON)
	return e
}

// read fills message and fields and reports whether the body was JSON.
func (e *APIError) read(body []byte) bool {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return false
	}
	var value jsontext.Value
	if wire.Unmarshal(trimmed, &value) != nil {
		e.Message = excerpt(trimmed)
		return false
	}
	switch value.Kind() {
	case '"':
		e.Message = text(value)
	case '[':
		// A bare array of texts.
		var parts []string
		var elements []jsontext.Value
		_ = wire.Unmarshal(value, &elements)
		for _, element := range elements {
			parts = append(parts, text(element))
		}
		e.Message = clip(strings.Join(parts, "; "))
	case '{':
		var object map[string]jsontext.Value
		_ = wire.Unmarshal(value, &object)
		e.readObject(value, object)
	default:
		e.Message = clip(string(value))
	}
	return true
}

func (e *APIError) readObject(raw jsontext.Value, object map[string]jsontext.Value) {
	inner, enveloped := object["body"]
	if !enveloped {
		if message, ok := object["error"]; ok && message.Kind() == '"' {
			e.Message = text(message)
			return
		}
		// A bare object says what it says: keep it readable.
		e.Message = clip(string(redact.Body(raw)))
		return
	}
	switch inner.Kind() {
	case '"':
		e.Message = text(inner)
	case '{':
		var members map[string]jsontext.Value
		_ = wire.Unmarshal(inner, &members)
		if message, ok := members["error"]; ok && message.Kind() == '"' {
			e.Message = text(message)
			return
		}
		e.readFields("", members, 0)
		slices.SortFunc(e.Fields, func(a, b FieldError) int {
			return strings.Compare(a.Field+"\x00"+a.Rule, b.Field+"\x00"+b.Rule)
		})
	case '[':
		var parts []string
		var elements []jsontext.Value
		_ = wire.Unmarshal(inner, &elements)
		for _, element := range elements {
			parts = append(parts, text(element))
		}
		e.Message = clip(strings.Join(parts, "; "))
	case 'n':
	default:
		e.Message = clip(string(inner))
	}
}

// readFields walks a map of complaints: a text, {"error": text, "value": …}, {rule: text}, or the same one level deeper.
func (e *APIError) readFields(prefix string, members map[string]jsontext.Value, level int) {
	for name, value := range members {
		if len(e.Fields) >= maxFields {
			return
		}
		field := name
		if prefix != "" {
			field = prefix + "." + name
		}
		if value.Kind() != '{' || level >= maxFieldLevels {
			e.Fields = append(e.Fields, FieldError{Field: clip(field), Message: redact.Complaint(field, text(value))})
			continue
		}
		var inner map[string]jsontext.Value
		_ = wire.Unmarshal(value, &inner)
		if message, ok := inner["error"]; ok && message.Kind() == '"' {
			e.Fields = append(e.Fields, FieldError{Field: clip(field), Message: redact.Complaint(field, text(message)), Value: SecretOf(string(inner["value"]))})
			continue
		}
		if rules, ok := ruleTexts(inner); ok {
			for rule, message := range rules {
				complaint := FieldError{Field: clip(field), Rule: clip(rule), Message: redact.Complaint(field+"."+rule, message)}
				e.Fields = append(e.Fields, complaint)
			}
			continue
		}
		e.readFields(field, inner, level+1)
	}
}

// ruleTexts returns members if all of them are texts.
func ruleTexts(members map[string]jsontext.Value) (map[string]string, bool) {
	texts := make(map[string]string, len(members))
	for name, value := range members {
		if name == "value" {
			continue // what the caller sent
		}
		if value.Kind() != '"' {
			return nil, false
		}
		texts[name] = text(value)
	}
	return texts, len(texts) > 0
}

// text is a value as a person reads it.
func text(value jsontext.Value) string {
	if value.Kind() == '"' {
		var s string
		if wire.Unmarshal(value, &s) == nil {
			return clip(redact.Text(strings.TrimSpace(s)))
		}
	}
	return clip(string(redact.Body(value)))
}

// excerpt is the beginning of a body that is not JSON, on one line.
func excerpt(body []byte) string {
	if body[0] == '{' || body[0] == '[' {
		// JSON that breaks off is masked as JSON.
		body = redact.Body(body)
	}
	if len(body) > 4*maxMessage {
		body = body[:4*maxMessage]
	}
	return clip(strings.Join(strings.Fields(strings.ToValidUTF8(string(redact.Text(string(body))), "�")), " "))
}

// clean puts blanks in place of what steers a terminal or breaks a line: control characters, those of C1 included, marks and overrides of the
// direction of writing, and the line ends of Unicode. What a server sent is read on terminals.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// clip is clean for a text that may be of any length.
func clip(s string) string {
	s = clean(s)
	if len(s) <= maxMessage {
		return s
	}
	cut := maxMessage
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// requestID is the id that a gateway may have given the request. The vendor documents no such header.
func requestID(header http.Header) string {
	for _, name := range []string{"X-Request-Id", "X-Requestid", "X-Correlation-Id", "X-Amzn-Requestid", "Cf-Ray"} {
		if id := header.Get(name); id != "" {
			return clip(id)
		}
	}
	return ""
}

// contextOf puts the call into the error.
func (e *APIError) contextOf(op operation, path string, attempts int) *APIError {
	e.Operation, e.Method, e.Path, e.Attempts = op.name, op.method, path, attempts
	return e
}
