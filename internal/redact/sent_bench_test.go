package redact

import (
	"net/http"
	"strings"
	"testing"
)

// BenchmarkText looks for a token and a password in 64 KiB, as much as is ever searched at once: in ordinary texts, and in those that cost most.
func BenchmarkText(b *testing.B) {
	known := Sent(http.Header{"X-Token": {"Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA=="}}, nil, []string{`test-token "of a person" \ 100%`})
	for _, text := range []struct{ name, unit string }{
		{"Words", "the quick brown fox jumps over the lazy dog and takes a rest. "},
		{"JSON", `{"id":4711,"name":"first application","enabled":true,"created_at":1700000000,"tags":["a","b"]},`},
		{"JSONInJSON", `{\"id\":4711,\"name\":\"first application\",\"enabled\":true,\"path\":\"\/a\/b\"},`},
		{"HTML", `<p class="note">Access denied &amp; logged. See <a href="/help?x=1&y=2">help</a></p>`},
		{"Query", `a=1&name=first+application&path=%2Fone%2Ftwo&x=%7B%22a%22%3A1%7D&`},
		{"Percent", "%25"},
		{"Backslashes", `\`},
		{"Ampersands", "&amp;"},
		{"LongEntity", "&abcdefghijklmnopqrstuvwxyzabcdef"},
		{"Beginnings", "test-toke Zm9vYmFyYmF "},
		{"EscapedBeginnings", `test-token&amp;quot; \\u005A\\u006d\\u0039vYmF `},
	} {
		s := strings.Repeat(text.unit, 64<<10/len(text.unit))
		b.Run(text.name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				if known.Text(s) != s {
					b.Fatal("there is nothing to mask")
				}
			}
		})
	}
	b.Run("ShortHeader", func(b *testing.B) {
		for b.Loop() {
			known.Text("application/json; charset=utf-8")
		}
	})
}
