package redact

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
)

// Members returns the texts under the names of secret members in the body of a request, which is JSON or a form, or in a query.
func Members(body []byte) []string {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil
	}
	if trimmed[0] == '{' || trimmed[0] == '[' {
		var value any
		if json.Unmarshal(trimmed, &value, syntax) != nil {
			return nil
		}
		return secretTexts(value, false, nil)
	}
	var found []string
	form, _ := url.ParseQuery(string(trimmed)) // what cannot be parsed is left out
	for name, values := range form {
		if IsSecretName(name) {
			found = append(found, values...)
		}
	}
	return found
}

// secretTexts adds the secret texts of a value to those that were found.
func secretTexts(value any, isSecret bool, found []string) []string {
	switch value := value.(type) {
	case string:
		if isSecret {
			return append(found, value)
		}
	case []any:
		for _, element := range value {
			found = secretTexts(element, isSecret, found)
		}
	case map[string]any:
		for name, member := range value {
			// Filters have members such as "target" with a plain word, which an answer may use for what it means.
			text, isText := member.(string)
			isWord := isText && slices.Contains(subtrees, strings.ToLower(name)) && plainComplaint.MatchString(text)
			found = secretTexts(member, isSecret || IsSecretName(name) && !isWord, found)
		}
	}
	return found
}
