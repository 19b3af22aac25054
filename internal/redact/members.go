package redact

import (
	"bytes"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// Members returns the texts and numbers under the names of secret members in the body of a request, which is JSON or a form, or in a query.
func Members(body []byte) []string {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil
	}
	found := jsonMembers(trimmed)
	if trimmed[0] == '{' || trimmed[0] == '[' {
		return found
	}
	form, _ := url.ParseQuery(string(trimmed)) // what cannot be parsed is left out
	for name, values := range form {
		if IsSecretName(name) {
			found = append(found, values...)
		}
	}
	return found
}

// attacked are the targets in filters of attacks and vulnerabilities, no secrets. An answer may use the words for what they mean.
var attacked = []string{"client", "database", "server"}

// jsonMembers is Members for JSON. A name may be repeated, more than one value may stand there, and the last may break off.
func jsonMembers(body []byte) (found []string) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(body), syntax)
	name := ""  // of the member whose value comes next
	within := 0 // the depth of the list or object below which all is secret, 0 if there is none
	isTarget := false
	for {
		token, err := decoder.ReadToken()
		if err != nil {
			return found
		}
		switch kind := token.Kind(); kind {
		case '{', '[':
			if within == 0 && IsSecretName(name) {
				within, isTarget = decoder.StackDepth(), name == "target"
			}
			isTarget = isTarget && kind == '['
		case '}', ']':
			if decoder.StackDepth() < within {
				within = 0
			}
		case '"', '0':
			text := token.String()
			if wire.IsName(decoder, token) {
				name = text
				continue
			}
			if within == 0 {
				isTarget = name == "target"
			}
			if (within > 0 || IsSecretName(name)) && !(isTarget && slices.Contains(attacked, text)) {
				found = append(found, text)
			}
		}
		name = ""
	}
}
