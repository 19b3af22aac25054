package redact

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

// The names of docs/wire/errors.md, section 12, as it has them. They are written out here, and not taken from the code, so that a name that is
// dropped there fails a test.
var (
	// listedSuffixes are the ends of names of secret members.
	listedSuffixes = []string{
		"token", "secret", "password", "passwd", "pwd", "passphrase", "credentials", "otp", "otp_secret", "license", "chat_data", "signed_url", "ca_file", "invitation", "private_key", "idp_cert",
		"saml_response",
	}
	// listedNames are members that the table names beyond those.
	listedNames = []string{
		"generated_password", "qr_code", "target", "headers", "auth_headers", "session_data", "additional_data", "user_attr_7", "user_attr_email_count",
		"file_remote_url", "diff", "state_before_action", "state_after_action", "before", "after",
	}
	// compoundNames are those of SECURITY.md that consist of several words, in their spellings.
	compoundNames = []string{
		"secretKey", "aws_secret_access_key", "accessKey", "access_key", "accesskey", "ACCESS-KEY", "x-api-key", "apiKey", "privateKey", "private-key", "integration_key",
		"routingKey", "signing_key", "encryption-key", "sshKey", "recovery_code", "recoveryCodes", "webhook_url", "webhookUrl", "collector-url", "connection_string",
		"ConnectionString", "session_cookie", "cookies", "X-Amz-Credential", "signedUrl", "qrCode",
	}
	listedHeaders = []string{
		"X-WallarmApi-Token", "WallarmApi-Token", "X-WallarmAPI-Secret", "X-WallarmAPI-UUID", "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie",
		"Location",
	}
	listedHeaderParts = []string{"token", "secret", "key", "authorization", "cookie"}
	listedQueries     = []string{
		"token", "secret", "invitation", "signature", "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "signed_url", "file_remote_url",
	}
)

// listed returns every name under which a secret member may travel.
func listed() []string {
	names := append([]string{}, listedNames...)
	for _, suffix := range listedSuffixes {
		names = append(names, suffix, "my_"+suffix, "new"+strings.ToUpper(suffix[:1])+suffix[1:], strings.ToUpper(suffix))
	}
	for _, name := range listedNames {
		names = append(names, strings.ToUpper(name))
	}
	return append(names, compoundNames...)
}

func TestEveryListedNameIsMasked(t *testing.T) {
	for _, name := range append(listed(), "value") {
		require.NotContains(t, string(Body(fmt.Appendf(nil, `{"a":[{%q:{"x":[%q]}}]}`, name, planted))), planted, name)
	}
	for _, name := range listed() {
		for _, text := range []string{"%s=%s", "a=b&%s=%s&c=d", "user[%s]=%s", "user%%5B%s%%5D=%s", `<p>"%s": "%s"</p>`, `:%s=>"%s"`} {
			require.NotContains(t, Text(fmt.Sprintf(text, name, planted)), planted, "%s in %s", name, text)
		}
	}
	for _, name := range listedHeaders {
		require.NotContains(t, fmt.Sprint(Header(http.Header{http.CanonicalHeaderKey(name): {planted}})), planted, name)
	}
	for _, part := range listedHeaderParts {
		require.NotContains(t, fmt.Sprint(Header(http.Header{http.CanonicalHeaderKey("x-my" + part + "-1"): {planted}})), planted, part)
	}
	for _, name := range listedQueries {
		for _, form := range []string{name, strings.ToUpper(name), "user[" + name + "]", "user[" + name + "][]"} {
			u := url.URL{Scheme: "https", Host: "api.example.com", Path: "/x", RawQuery: url.Values{form: {planted}}.Encode()}
			require.NotContains(t, URL(&u), planted, form)
		}
	}
}

// TestSubtreesInEverySpelling: the marks between their words do not matter.
func TestSubtreesInEverySpelling(t *testing.T) {
	for _, subtree := range append(subtrees, "user_attr_mail") {
		camel := regexp.MustCompile(`_[a-z]`).ReplaceAllStringFunc(subtree, func(s string) string { return strings.ToUpper(s[1:]) })
		for _, name := range []string{subtree, strings.ToUpper(subtree), camel, strings.ToUpper(camel), strings.ReplaceAll(subtree, "_", "-")} {
			require.True(t, IsSecretName(name), name)
			require.NotContains(t, string(Body(fmt.Appendf(nil, `{"a":[{%q:{"x":[%q]}}]}`, name, planted))), planted, name)
			for _, text := range []string{"%s=%s", "a=b&%s=%s&c=d", `<p>"%s": "%s"</p>`, `:%s=>"%s"`} {
				require.NotContains(t, Text(fmt.Sprintf(text, name, planted)), planted, "%s in %s", name, text)
			}
		}
	}
}

func TestTextsWithSecretsInOddForms(t *testing.T) {
	for _, text := range []string{
		"Cookie: a=1; sid=%s", "Authorization: Digest username=\"x\", response=\"%s\"", `{"message":"{\"a\":\"{\\\"token\\\":\\\"%s\\\"}\"}"}`,
		`said {"target":{"url":"%s"}}`, `secret: ["a", "%s"]`, `&quot;password&quot;:&quot;%s&quot;`, `{"token" => "%s"}`, `password: "a\"%s"`,
		"private_key=-----BEGIN PRIVATE KEY-----\nabc\n%s\n-----END PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----\n%s", `\"token\":\"x\\\"%s\"`,
		"user%%5Bpassword%%5D=%s", "token%%3D%s", "token%%22%%3A%%22%s", `{"error":"token%%3D%s"}`, "Set-Cookie: sid=x; Path=/; y=%s",
	} {
		text = fmt.Sprintf(text, planted)
		require.NotContains(t, string(Body([]byte(text))), planted, text)
		require.NotContains(t, Text(text), planted, text)
		quoted, err := json.Marshal(map[string]any{"message": text})
		require.NoError(t, err)
		require.NotContains(t, string(Body(quoted)), planted, string(quoted))
	}
	for _, text := range []string{
		"the target is not reachable", "created before 5 o'clock", "token is too short", "after 3 attempts", "Access denied", "see https://example.com/a?b=c",
	} {
		require.Equal(t, text, Text(text), "plain words stay")
	}
}

// FuzzRedact plants a secret under each listed name at a depth and in surroundings of the fuzzer's choice: in JSON, in JSON that breaks off, in JSON
// inside of texts, in forms, queries, headers and plain text.
func FuzzRedact(f *testing.F) {
	f.Add(0, []byte{0, 1, 2, 3}, "x", "tail", 200)
	f.Add(3, []byte{1, 1, 0, 0, 3}, `a"b\`, `"quote\`, 3)
	f.Add(11, []byte{}, "", "a&b=c;d e,f", 40)
	f.Add(20, []byte{2, 2, 2}, "token", "<é\u2028\xff>", 17)
	f.Add(40, []byte{3, 3}, "\x00", "{[", 0)
	names := listed()
	f.Fuzz(func(t *testing.T, which int, shape []byte, key, tail string, cut int) {
		if len(shape) > 40 {
			return
		}
		name := names[uint(which)%uint(len(names))]
		secret := planted + tail
		var value any = map[string]any{name: secret, key + " ": 1}
		for i, c := range shape {
			switch c % 4 {
			case 0:
				value = map[string]any{key: value, "z": []any{nil, true, 1.5}}
			case 1:
				value = []any{key, value, nil}
			case 2:
				value = map[string]any{name: value}
			case 3:
				// Services that pass on what another one answered put JSON into texts; each level doubles the backslashes.
				if text, err := json.Marshal(value); err == nil && i < 6 {
					value = string(text)
				}
			}
		}
		data, err := json.Marshal(value)
		require.NoError(t, err)
		out := Body(data)
		require.NotContains(t, string(out), planted, string(data))
		require.True(t, json.Valid(out), "%s became %s", data, out)
		require.LessOrEqual(t, len(out), 2*len(data)+len(Mask)*(strings.Count(string(data), `"`)+1), "what is masked does not grow")
		require.NotContains(t, string(Body(data[:uint(cut)%uint(len(data)+1)])), planted, string(data))
		require.NotContains(t, string(Body(append([]byte("Error: "), data...))), planted, string(data))

		form := url.Values{name: {secret}, "a[" + name + "][]": {secret}, key: {"x"}}.Encode()
		require.NotContains(t, Text(form), planted, form)
		require.NotContains(t, string(Body([]byte(form))), planted, form)
		require.NotContains(t, Text(name+": "+secret), planted)
		require.NotContains(t, Complaint(key+"."+name, secret), planted)

		u := url.URL{Scheme: "https", Host: "api.example.com", Path: "/x", User: url.UserPassword(secret, secret), RawQuery: form, Fragment: form}
		require.NotContains(t, URL(&u), planted)
		for _, header := range listedHeaders {
			require.NotContains(t, fmt.Sprint(Header(http.Header{http.CanonicalHeaderKey(header): {secret, key}, key: {"x"}})), planted)
		}
	})
}

// FuzzDecoderErrors puts a credential into the name of a member of an answer that breaks off: the decoder tells the place with escapes of its own.
func FuzzDecoderErrors(f *testing.F) {
	f.Add("/a+b=c", "", 0)
	f.Add("~1/~0/~", "before/", 1)
	f.Add(strings.Repeat("/~", 90), "", 2)
	f.Add("/b\"c\\", "…", 3)
	f.Fuzz(func(t *testing.T, rest, before string, depth int) {
		if strings.ContainsFunc(rest, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // no header has such a value
		}
		secret := planted + rest
		known := Sent(http.Header{"X-Token": {secret}}, nil, nil)
		name, err := json.Marshal(before + secret)
		require.NoError(t, err)
		var out any
		err = jsonv2.Unmarshal([]byte(strings.Repeat(`{"body":`, int(uint(depth)%5))+"{"+string(name)+`:tru`), &out, syntax)
		require.Error(t, err)
		require.NotContains(t, known.Error(err).Error(), planted)
	})
}
