package redact

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

const sentToken = "test-token-Sent/5150+x"

func TestSentKnowsHeadersByNameAndBySigner(t *testing.T) {
	header := http.Header{"X-Token": {sentToken}, "X-Mine": {"test-token-mine"}, "X-Trace": {"trace-0123456789"}, "Authorization": {"Bearer test-token-bare"}}
	known := Sent(header, []string{"X-Mine"}, []string{"test-token-of-the-body", `a "quoted" one`, "short"})
	shown := known.Text(`test-token-mine, test-token-bare, trace-0123456789, test-token-of-the-body, a \"quoted\" one, short, ` + sentToken)
	require.Equal(t, `[redacted], [redacted], trace-0123456789, [redacted], [redacted], short, [redacted]`, shown)
	require.Contains(t, known.Text("Basic test-token-bare"), "Basic")
}

// TestOfAllCredentialsSixCharactersSuffice, while what is shorter may be a part of any word.
func TestOfAllCredentialsSixCharactersSuffice(t *testing.T) {
	for _, known := range []Credentials{
		Sent(http.Header{"X-Gateway-Token": {"hunter"}}, nil, nil), Sent(http.Header{"X-Gate": {"hunter"}}, []string{"X-Gate"}, nil),
		Sent(http.Header{"Authorization": {"Bearer hunter"}}, nil, nil), Sent(http.Header{"Authorization": {"Bearer  hunter"}}, nil, nil),
		Sent(http.Header{"Authorization": {"Bearer\thunter"}}, nil, nil), Sent(http.Header{"Cookie": {"lang=en; hunter"}}, nil, nil), Sent(nil, nil, []string{"hunter"}),
	} {
		require.Equal(t, "no [redacted] here", known.Text("no hunter here"))
		require.Equal(t, "no [redacted] here", known.Text("no aHVudGVy here"))
	}
	// What stands around a value is often left out.
	for _, known := range []Credentials{
		Sent(nil, nil, []string{"\thunter \n"}), Sent(http.Header{"X-Gateway-Token": {"hunter "}}, nil, nil), Sent(http.Header{"X-Gate": {"hunter\t"}}, []string{"X-Gate"}, nil),
	} {
		require.NotContains(t, known.Text("no hunter here"), "hunter")
	}
	short := Sent(http.Header{"X-Gateway-Token": {"abcde"}, "Authorization": {"Bearer abcde"}, "X-Gate": {"abcde"}}, []string{"X-Gate"}, []string{"abcde", "my abcdef"})
	require.Equal(t, "no abcde or abcdef here", short.Text("no abcde or abcdef here"), "nor is the last word of a phrase a secret")
}

// TestPartsOfHeadersAreKnown where a gateway repeats one cookie of several, or what Basic encodes.
func TestPartsOfHeadersAreKnown(t *testing.T) {
	basic := func(pair string) string { return base64.StdEncoding.EncodeToString([]byte(pair)) }
	known := Sent(http.Header{
		"Cookie":              {`lang=en; sid=test-token-sid; quoted="test-token-quoted"; flag; a=test=token=a`, "second=test-token-second; escaped=test%3Atoken%2Fescaped"},
		"Authorization":       {"Basic " + basic("gateway:test-token-password")},
		"Proxy-Authorization": {"basic  " + strings.TrimRight(basic("test-token-user:"), "=")},
		"X-Token":             {"Basic %%%", "Basic " + basic("ab:cd")},
	}, nil, nil)
	shown := known.Text("en, test-token-sid, test-token-quoted, flag, test=token=a, test-token-second, test:token/escaped, gateway:test-token-password, gateway, test-token-password, test-token-user, ab:cd")
	require.Equal(t, "en, [redacted], [redacted], flag, [redacted], [redacted], [redacted], [redacted], gateway, [redacted], [redacted], ab:cd", shown)
	require.Equal(t, "gateway test-token-password", Sent(http.Header{"X-Trace": {"Basic " + basic("gateway:test-token-password")}}, nil, nil).Text("gateway test-token-password"))
}

// TestCutLeavesNoPartOfACredential moves a credential, in the forms in which it is known and escaped, over the place of the cut.
func TestCutLeavesNoPartOfACredential(t *testing.T) {
	known := Sent(http.Header{"X-Token": {sentToken}}, nil, nil)
	const n = 100
	escaped := []string{url.QueryEscape(sentToken), url.PathEscape(sentToken), strings.ReplaceAll(sentToken, "/", `\/`), pointerEscapes.Replace(sentToken)}
	for _, form := range append(escaped, known...) {
		for before := range n + 1 {
			body := strings.Repeat("p", before) + form + strings.Repeat("p", n)
			cut := string(known.Cut([]byte(body), n))
			require.LessOrEqual(t, len(cut), n)
			require.Empty(t, strings.Trim(strings.Replace(cut, Mask, "", 1)+"p", "[redact]p"), "%q", cut)
			require.Equal(t, strings.Repeat("p", before), known.Excerpt(body[:before+len(form)/2] + "…")[:before])
			require.NotContains(t, known.Excerpt(body[:before+len(form)/2]+"…"), form[:len(form)/2])
		}
	}
	many := strings.Repeat(sentToken, 20)
	require.NotContains(t, string(known.Cut([]byte(many), n)), "test-", "what is masked is shorter, and draws the cut nearer")
	require.Equal(t, "whole", string(known.Cut([]byte("whole"), n)))
	require.Equal(t, "pp", string(Credentials(nil).Cut([]byte("ppp"), 2)))
}

// TestOfALongHeaderTheBeginningIsShown, since the search in it has no regard for the time of the call.
func TestOfALongHeaderTheBeginningIsShown(t *testing.T) {
	known := Sent(http.Header{"X-Token": {sentToken}}, nil, nil)
	filling := strings.Repeat("%25", 3000)
	header := http.Header{"A": {"1", "echo " + sentToken}, "Set-Cookie": {filling}}
	require.Equal(t, http.Header{"A": {"1", "echo " + Mask}, "Set-Cookie": {Mask}}, known.Header(header), "not a long one")
	torn := strings.Repeat("p", maxHeaderValue-5)
	header["B"] = []string{torn + sentToken + filling}
	for i := range 1000 {
		header.Add("C", fmt.Sprint(i))
	}
	header["D"], header["E"] = []string{strings.Repeat(filling, 1000)}, []string{"last"}
	shown := known.Header(header)
	require.Equal(t, []string{"1", "echo " + Mask}, shown["A"])
	require.Equal(t, []string{torn + Mask[:5] + "…"}, shown["B"], "no part of a credential stays")
	size := 0
	for _, values := range shown {
		for _, value := range values {
			size += len(value)
		}
	}
	require.Less(t, size, maxHeader)
	require.Less(t, len(shown["C"]), 1000)
	require.NotContains(t, shown, "E")
	require.Len(t, header["C"], 1000, "the header itself stays as it is")
	delete(header, "C")
	require.Len(t, known.Header(header), 5)
	require.Equal(t, filling[:maxHeaderValue]+"…", known.Header(header)["D"][0])
}

func TestMembersFindsTextsAndNumbersUnderSecretNames(t *testing.T) {
	for body, want := range map[string][]string{
		``:                              nil,
		`{"a":{"password":"one"}}`:      {"one"},
		`[{"api_token":["one","two"]}]`: {"one", "two"},
		`{"target":"https://hooks.example.com/x"}`:             {"https://hooks.example.com/x"},
		`{"target":"server","name":"x"}`:                       nil,
		`{"filter":{"target":["server","client"]}}`:            nil,
		`{"target":"swordfish","before":"horse battery"}`:      {"horse battery", "swordfish"},
		`{"target":["client",{"password":"server"}]}`:          {"server"},
		`{"target":{"password":"server"}}`:                     {"server"},
		`{"password":["server"],"token":"client"}`:             {"client", "server"},
		`{"target":{"url":"one","headers":{"X":"two"},"n":1}}`: {"1", "one", "two"},
		`{"target":{"a":{}},"name":"x","token":[[],"one"]}`:    {"one"},
		`{"password":48151623,"token":null,"otp":true}`:        {"48151623"},
		`{"password":"one","password":["two"],"n":"x"}`:        {"one", "two"},
		`{"password":"one"} {"token":"two"} "x"`:               {"one", "two"},
		`1 {"password":"one"}`:                                 {"one"},
		`{"password":"one"`:                                    {"one"},
		`{"password":"one`:                                     nil,
		`user[password]=one%21&name=x`:                         {"one!"},
		`token=one&a=b`:                                        {"one"},
	} {
		found := Members([]byte(body))
		slices.Sort(found)
		require.Equal(t, want, found, body)
	}
}

func TestIsSecretHeader(t *testing.T) {
	for name, want := range map[string]bool{
		"X-Wallarmapi-Token": true, "X-WALLARMAPI-UUID": true, "authorization": true, "Location": true, "location": true, "X-Api-Key": true,
		"": false, "Key": true, "Ke": false, "X-Request-Id": false, "Allocation": false, "Content-Location": false,
	} {
		require.Equal(t, want, IsSecretHeader(name), name)
	}
	require.Zero(t, testing.AllocsPerRun(10, func() { IsSecretHeader("X-Wallarmapi-Token") }), "it is asked for each request")
}

// TestEscapedCredentialsAreMasked however often and in whatever mixture they are escaped, while texts that hold none stay as they are.
func TestEscapedCredentialsAreMasked(t *testing.T) {
	const secret = "test-token/a+b=c&d"
	known := Sent(http.Header{"X-Wallarmapi-Token": {secret}}, nil, nil)
	for _, text := range []string{
		"test-token/a&#43;b=c&amp;d", "test-token&#x2F;a&#x2b;b&equals;c&amp;d", "test-token%2fa%2bb%3dc%26d", "test-token%252Fa%252Bb%253Dc%2526d",
		"%74est-token/a%2Bb=c&d", `test-token\/a\u002bb=c\u0026d`, `test-token\x2fa+b=c&d`, "test-token%2Fa&#43;b%3Dc%26amp;d", "test-token~1a+b=c&d", `test-token~1a\u002bb=c&amp;d`, "%74est-token~1a+b=c&d",
	} {
		masked := known.Text("before " + text + " behind")
		require.Equal(t, "before "+Mask+" behind", masked, text)
	}
	for _, text := range []string{"100%25 &amp; more", `C:\user\x`, "%zz%", "&#x110000;", "a &lt;b&gt; %2F", "~1 and ~0 ~"} {
		require.Equal(t, text, known.Text(text))
	}
}

// TestAnEscapedCredentialIsNotTorn by a cut that goes through it.
func TestAnEscapedCredentialIsNotTorn(t *testing.T) {
	const secret = "test-token-planted/0123456789+abcdef"
	known := Sent(http.Header{"X-Wallarmapi-Token": {secret}}, nil, nil)
	escaped := ""
	for _, c := range []byte(secret) {
		escaped += fmt.Sprintf("%%%02x", c)
	}
	for cut := range len(escaped) {
		text := known.Cut([]byte(strings.Repeat("p", 200)+escaped+" behind"), 200+cut)
		require.NotContains(t, string(text), "%74%65%73%74", cut)
		require.LessOrEqual(t, len(text), 200+cut)
	}
}

// TestErrorsOfTheDecoderShowNoCredential that stands as a name in the pointer to their place, in which a slash and a tilde are escaped and long names cut.
func TestErrorsOfTheDecoderShowNoCredential(t *testing.T) {
	for _, secret := range []string{"test-token/a+b=c", "test~token~1/~0/~", "test-token/" + strings.Repeat("0123456789", 20) + "/the-end", strings.Repeat("~/", 60) + "x"} {
		known := Sent(http.Header{"X-Token": {secret}}, nil, nil)
		for _, before := range []string{"", "before ", "a/b~"} {
			for _, text := range []string{`{"body":{%q:tru`, `{%q:tru`, `{%q:{"id":tru`, `{"a":{"b":{"c":[{%q:[[1,tru`} {
				for _, escape := range []func(string) string{strings.Clone, url.QueryEscape, percent, func(s string) string { return percent(percent(s)) }} {
					var out any
					err := json.Unmarshal(fmt.Appendf(nil, text, before+escape(secret)), &out, syntax)
					require.Error(t, err)
					err = known.Error(fmt.Errorf("element 3: %w", err))
					for n := range len(secret) - 7 {
						part := secret[n : n+8]
						require.NotContains(t, err.Error(), part, text)
						require.NotContains(t, err.Error(), pointerEscapes.Replace(part), text)
						require.NotContains(t, err.Error(), escape(part), text)
					}
				}
			}
		}
	}
	known := Sent(http.Header{"X-Token": {"test-token/a+b=c"}}, nil, nil)
	for _, text := range []string{"a… b…", `json: cannot unmarshal within "/body/0/first-name_1/"`} {
		plain := errors.New(text)
		require.Same(t, plain, known.Error(plain))
	}
}

// pointerEscapes makes a name part of a JSON pointer, in which errors of the decoder tell their place.
var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// percent escapes every byte of a text.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func TestNamesOfHeadersAreMasked(t *testing.T) {
	const secret = "test-token/a+b=Cd"
	known := Sent(http.Header{"X-Token": {secret, "Test-Token-Plain"}}, nil, nil)
	for _, name := range []string{secret, url.QueryEscape(secret), percent(secret) + " ", base64.RawURLEncoding.EncodeToString([]byte(secret)), "test-token-plain", "X-Test-Token-Plain"} {
		h := http.Header{name: {"1"}, "Content-Length": {"2"}}
		h.Set(name, "1")
		require.Equal(t, http.Header{Mask: {Mask}, "Content-Length": {"2"}}, known.Header(h), name)
	}
}

// TestTextsOfErrorsAreCut and keep their identity; the error itself is there as long as all of its text is known to be clean.
func TestTextsOfErrorsAreCut(t *testing.T) {
	known := Sent(http.Header{"X-Token": {sentToken}}, nil, nil)
	reason := &net.OpError{Op: "read", Net: "tcp", Err: io.ErrUnexpectedEOF}
	for _, test := range []struct {
		before, behind int
		quoted, want   string
		isThere        bool
	}{
		{10, 10, "", "", true},
		{maxErrorText, 1, "", strings.Repeat("é", maxErrorText/2) + "…", true},
		{maxErrorText - 1, 9000, "x", strings.Repeat("é", maxErrorText/2-1) + "x…", true},
		{10, 9000, sentToken, "ééééé" + Mask, false},
		{maxErrorText - 10, 0, sentToken, strings.Repeat("é", maxErrorText/2-5) + Mask + "…", false},
		{maxErrorText - 2, 0, sentToken, strings.Repeat("é", maxErrorText/2-1) + Mask[:2] + "…", false},
		{0, 8 << 20, "", strings.Repeat("é", maxErrorText/2) + "…", false},
		{maxSearchedText - 4, 8 << 20, sentToken, strings.Repeat("é", maxErrorText/2) + "…", false},
		{0, 8 << 20, strings.Repeat(sentToken, 1000), Mask, false},
	} {
		text := strings.Repeat("é", test.before/2) + test.quoted + strings.Repeat("é", test.behind/2)
		err := known.Error(fmt.Errorf("%s%w", text, reason))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		var there *net.OpError
		require.Equal(t, test.isThere, errors.As(err, &there))
		require.LessOrEqual(t, len(err.Error()), maxErrorText+len("…"))
		require.True(t, strings.HasPrefix(err.Error(), test.want))
		require.NotContains(t, err.Error(), sentToken[:6])
		require.True(t, utf8.ValidString(err.Error()))
	}
}

func TestBase64OfATextWithACredentialIsMasked(t *testing.T) {
	const secret = "test-token-Sent/5150+x"
	known := Sent(http.Header{"X-Wallarmapi-Token": {secret}}, nil, nil)
	for before := range 6 {
		for behind := range 4 {
			text := strings.Repeat("u", before) + secret + strings.Repeat("\n", behind)
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
				encoded := encoding.EncodeToString([]byte(text))
				shown := strings.ReplaceAll(known.Text("seen "+encoded), Mask, "")
				require.LessOrEqual(t, len(shown), len("seen ")+18, "%s of %s", shown, encoded)
			}
		}
	}
}

// TestABrokenHeaderShowsNoCredential: net/textproto writes the name of a broken line as those of headers are written, and quotes the line then.
func TestABrokenHeaderShowsNoCredential(t *testing.T) {
	quoted := 0
	for _, secret := range []string{"b0c7d2f4e5a6978812345678deadbeefcafe0123", "1f0e2d3c-aaaa-4bbb-8ccc-ddddeeeeffff", "TEST-token-MIXED", "ümlaut-test-token", "test+token/of==base64"} {
		known := Sent(http.Header{"X-Wallarmapi-Token": {secret}}, nil, nil)
		for _, prefix := range []string{"", "Sent-", "x", "X-A", "x y "} {
			for _, rest := range []string{": x\x01", " : x"} {
				answer := "HTTP/1.1 200 OK\r\n" + prefix + secret + rest + "\r\n\r\n"
				_, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), nil)
				if err == nil {
					continue // a blank before the colon is a part of the name
				}
				quoted++
				shown := known.Error(err).Error()
				require.NotContains(t, strings.ToLower(shown), strings.ToLower(secret[len(secret)-8:]), "%q", answer)
				require.Contains(t, shown, "malformed MIME header")
			}
		}
	}
	require.Greater(t, quoted, 20)
}

// TestURLsInHeadersShowNoSecret that was not sent, in whatever header they stand.
func TestURLsInHeadersShowNoSecret(t *testing.T) {
	plain := http.Header{
		"Content-Type": {`text/html; charset="utf-8"`}, "Date": {"Sun, 29 Nov 2026 10:00:00 GMT"}, "Etag": {`W/"5f-token"`}, "Retry-After": {"5"},
		"Www-Authenticate": {`Bearer realm="api", error="invalid_token"`}, "Link": {`<https://api.example.com/v1?page=2&keep=me>; rel="next"`},
	}
	require.Equal(t, plain, Credentials{"test-token-sent"}.Header(plain))
	for name, value := range map[string]string{
		"Content-Location": "/x?token=" + planted, "Refresh": "0; url=https://api.example.com/?keep=me&signature=" + planted,
		"Link": "<https://api.example.com/?api_key=" + planted + `>; rel="next"`, "X-Debug": `{"secret":"` + planted + `"}`,
		"X-Upstream": "https://user:" + planted + "@api.example.com/", "Warning": "199 - token: " + planted,
	} {
		h := http.Header{name: {"keep", value}}
		shown := Credentials{}.Header(h)
		require.NotContains(t, shown.Get(name)+shown.Values(name)[1], planted, name)
		require.Equal(t, "keep", shown.Get(name))
		require.Contains(t, h[name][1], planted, "the header itself stays as it is")
	}
}
