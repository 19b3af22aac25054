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

func TestComplaintsStay(t *testing.T) {
	for _, text := range []string{"required", "Is too short", "can't be blank", "has an invalid format."} {
		require.Equal(t, text, Complaint("a.password", text))
	}
	for _, text := range []string{planted, "Abc123", "hunter2"} {
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
