package redact

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const planted = "test-token-planted"

// secretNames holds a name for each rule.
var secretNames = func() []string {
	names := append([]string{"user_attr_7", "X-WallarmApi-Token"}, subtrees...)
	for _, suffix := range suffixes {
		names = append(names, suffix, "my_"+suffix, strings.ToUpper(suffix))
	}
	return names
}()

func TestBodyMasksEachName(t *testing.T) {
	for _, name := range append(secretNames, "value") {
		for _, value := range []string{`"%s"`, `["%s"]`, `{"x":{"y":"%s"}}`, `[{"x":"%s"}]`} {
			body := fmt.Sprintf(`{"keep":"me","a":[{"`+name+`":`+value+`}]}`, planted)
			out := string(Body([]byte(body)))
			require.NotContains(t, out, planted, body)
			require.Contains(t, out, `"keep":"me"`)
			require.Contains(t, strings.ToLower(out), strings.ToLower(name), "names stay")
			for cut := range body {
				require.NotContains(t, string(Body([]byte(body[:cut]))), planted, body[:cut])
			}
		}
	}
}

func TestHeaderMasksCredentials(t *testing.T) {
	for _, name := range []string{
		"X-WallarmApi-Token", "WallarmApi-Token", "X-WallarmAPI-Secret", "X-WallarmAPI-UUID", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie",
		"Location", "X-My-Key",
	} {
		h := http.Header{"Keep": {"me"}}
		h.Add(name, planted)
		h.Add(name, planted)
		out := Header(h)
		require.NotContains(t, fmt.Sprint(out), planted)
		require.Equal(t, "me", out.Get("Keep"))
		require.Equal(t, planted, h.Get(name), "the header itself stays as it is")
	}
}

func TestURLMasksQueries(t *testing.T) {
	for _, name := range []string{"token", "secret", "invitation", "signature", "X-Amz-Signature", "X-Amz-Credential", "signed_url", "file_remote_url"} {
		u, err := url.Parse("https://user:" + planted + "@api.example.com/x?keep=me&" + name + "=" + planted)
		require.NoError(t, err)
		require.NotContains(t, URL(u), planted)
		require.Contains(t, URL(u), "keep=me")
	}
	require.Empty(t, URL(nil))
}

// TestShortWordsAreNamesOfSecrets as the last word of a name, however that is spelt, and no part of another word.
func TestShortWordsAreNamesOfSecrets(t *testing.T) {
	for _, word := range words {
		title := strings.ToUpper(word[:1]) + word[1:]
		for _, name := range []string{word, strings.ToUpper(word), title, "my_" + word, "MY_" + strings.ToUpper(word), "my-" + word, "my" + title, "DB" + title, "v4" + title, "X-My-" + title, "user[" + word + "]"} {
			require.True(t, IsSecretName(name), name)
			require.NotContains(t, string(Body(fmt.Appendf(nil, `{%q:{"x":[%q]}}`, name, planted))), planted, name)
			for _, text := range []string{"%s=%s", "a=b&%s=%s&c=d", "user[%s]=%s", "user%%5B%s%%5D=%s", `<p>"%s": "%s"</p>`, `:%s=>"%s"`, `said {\"%s\":\"%s\"`, "host: a\n%s: %s\n", "its %s : %s", "%s: <%s>", "<p>%s: <b>%s</b>", "%s=<%s"} {
				require.NotContains(t, Text(fmt.Sprintf(text, name, planted)), planted, "%s in %s", name, text)
			}
			u := url.URL{Scheme: "https", Host: "api.example.com", Path: "/x", RawQuery: url.Values{name: {planted}}.Encode()}
			require.NotContains(t, URL(&u), planted, name)
		}
		require.False(t, IsSecretName("by"+word), word)
		require.False(t, IsSecretName("BY"+strings.ToUpper(word)), word)
		require.Equal(t, fmt.Sprintf(`[{%q:4},{"weak_%[1]s":1}]`, word), string(Body(fmt.Appendf(nil, `[{%q:4},{"weak_%[1]s":1}]`, word))), "a count")
	}
}

func TestOrdinaryNamesStay(t *testing.T) {
	for _, name := range []string{
		"key", "key_value", "key_label", "auth_type", "auth_mode", "auth_protocol", "missing_auth_mode", "available_authentications", "authenticated", "author", "author_user_id",
		"passed", "passive_detect_urls", "password_changed", "bypass", "compass", "point", "sid", "session_id", "page_session_id", "status_code", "response_code", "oauth2",
		"integration_type", "integration_ids", "ssl_cert", "jwt_prefix", "design", "signin", "cookie_name", "url", "access", "access_key_id", "keyword", "monkey",
	} {
		body := fmt.Sprintf(`{%q:"me"}`, name)
		require.Equal(t, body, string(Body([]byte(body))))
		require.False(t, IsSecretName(name), name)
	}
	for _, text := range []string{"auth: user not found", "Basic Auth: it is required, and missing", "jwt: expired; the user is me", "the pass: 3 of 5", "bypass=none", "auth_type=basic", "point=7&passed=1"} {
		require.Equal(t, text, Text(text))
	}
}

func TestPathMasksMatrixParameters(t *testing.T) {
	for path, want := range map[string]string{
		"/v2/x":                       "/v2/x",
		"/v2/x;a=1;b/y":               "/v2/x;a=1;b/y",
		"/v2/x;token=a,b/y;a=1":       "/v2/x;token=[redacted]/y;a=1",
		"/v2;a=1;apiKey=x=y;sig=/z":   "/v2;a=1;apiKey=[redacted];sig=[redacted]/z",
		"/v2;%74oken=a;%zz=b;secret;": "/v2;%74oken=[redacted];%zz=[redacted];secret;",
	} {
		require.Equal(t, want, Path(path))
	}
}

func TestComplaintsStay(t *testing.T) {
	for _, text := range []string{"required", "Is too short", "can't be blank", "has an invalid format.", "Missing", "already taken"} {
		require.Equal(t, text, Complaint("a.password", text))
	}
	for _, text := range []string{planted, "Abc123", "hunter2", "swordfish", "correct horse battery staple", "Open sesame"} {
		require.Equal(t, Mask, Complaint("token", text))
		require.Equal(t, text, Complaint("name", text))
	}
}

// FuzzBody plants a secret under each listed name, wherever the fuzzer puts it.
func FuzzBody(f *testing.F) {
	f.Add(0, `{"a":`, `}`, planted)
	f.Add(3, `[1,{"b":[`, `]}]`, "x\" y\\")
	f.Add(7, ``, `,`, "<tag>")
	f.Fuzz(func(t *testing.T, which int, before, after, tail string) {
		name := secretNames[uint(which)%uint(len(secretNames))]
		value, err := json.Marshal(planted + "-" + tail)
		require.NoError(t, err)
		body := before + `{"` + name + `":` + string(value) + `}` + after
		out := string(Body([]byte(body)))
		if json.Valid([]byte(body)) {
			require.NotContains(t, out, planted)
			require.True(t, json.Valid([]byte(out)), out)
		}
		require.NotPanics(t, func() { Text(body); Complaint(name, body) })
	})
}
