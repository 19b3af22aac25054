package wallarm

import (
	"strings"
	"unicode/utf8"
)

// upper is strings.ToUpper for a text that is to travel. One that is not UTF-8 stays as it is, and is refused when it is sent: package strings would
// put U+FFFD in its place, which is another text and may name something else.
func upper(text string) string {
	if !utf8.ValidString(text) {
		return text
	}
	return strings.ToUpper(text)
}

// lower is strings.ToLower for a text that is to travel, see upper.
func lower(text string) string {
	if !utf8.ValidString(text) {
		return text
	}
	return strings.ToLower(text)
}
