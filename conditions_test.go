package wallarm

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// readConditions reads conditions as they travel.
func readConditions(t *testing.T, text string) Conditions {
	t.Helper()
	var c Conditions
	require.NoError(t, wire.Unmarshal([]byte(text), &c))
	return c
}

// TestWorkedExamples are those of docs/wire/rules.md, section 3.6.
func TestWorkedExamples(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		scope ScopeBuilder
		want  string
		// pattern is what the conditions are in words.
		pattern string
	}{
		{"1 any request", Scope(), `[]`, "/**/*.*"},
		{"2 root of a host", Scope().URL("example.org/"), `[
			{"type": "iequal", "point": ["header", "HOST"], "value": "example.org"},
			{"type": "equal", "point": ["action_name"], "value": ""},
			{"type": "absent", "point": ["action_ext"]},
			{"type": "absent", "point": ["path", 0]}]`, "example.org/"},
		{"3 one endpoint", Scope().URL("Shop.Example.com/api/login"), `[
			{"type": "iequal", "point": ["header", "HOST"], "value": "shop.example.com"},
			{"type": "equal", "point": ["path", 0], "value": "api"},
			{"type": "absent", "point": ["path", 1]},
			{"type": "equal", "point": ["action_name"], "value": "login"},
			{"type": "absent", "point": ["action_ext"]}]`, "shop.example.com/api/login"},
		{"4 several dots", Scope().Path("/static/js/app.min.4f2c.js"), `[
			{"type": "equal", "point": ["path", 0], "value": "static"},
			{"type": "equal", "point": ["path", 1], "value": "js"},
			{"type": "absent", "point": ["path", 2]},
			{"type": "equal", "point": ["action_name"], "value": "app"},
			{"type": "equal", "point": ["action_ext"], "value": "min.4f2c.js"}]`, "/static/js/app.min.4f2c.js"},
		{"5 one wildcard level", Scope().Path("/my/api/*"), `[
			{"type": "equal", "point": ["path", 0], "value": "my"},
			{"type": "equal", "point": ["path", 1], "value": "api"},
			{"type": "absent", "point": ["path", 2]},
			{"type": "absent", "point": ["action_ext"]}]`, "/my/api/*"},
		{"6 whole subtree", Scope().Path("/my/api/**/*.*"), `[
			{"type": "equal", "point": ["path", 0], "value": "my"},
			{"type": "equal", "point": ["path", 1], "value": "api"}]`, "/my/api/**/*.*"},
		{"7 wildcards inside", Scope().URL("POST example.org:8443/tenants/*/reports/*.csv?draft=no"), `[
			{"type": "equal", "point": ["method"], "value": "POST"},
			{"type": "iequal", "point": ["header", "HOST"], "value": "example.org:8443"},
			{"type": "equal", "point": ["path", 0], "value": "tenants"},
			{"type": "equal", "point": ["path", 2], "value": "reports"},
			{"type": "absent", "point": ["path", 3]},
			{"type": "equal", "point": ["action_ext"], "value": "csv"},
			{"type": "equal", "point": ["get", "draft"], "value": "no"}]`, "POST example.org:8443/tenants/*/reports/*.csv?draft=no"},
		{
			"8 application, regular expressions and header",
			Scope().Application(12).Path("/{{^v[0-9]$}}/users/{{^[0-9]+$}}").Header("X-Env", "staging"), `[
			{"type": "equal", "point": ["instance"], "value": "12"},
			{"type": "regex", "point": ["path", 0], "value": "^v[0-9]$"},
			{"type": "equal", "point": ["path", 1], "value": "users"},
			{"type": "absent", "point": ["path", 2]},
			{"type": "regex", "point": ["action_name"], "value": "^[0-9]+$"},
			{"type": "absent", "point": ["action_ext"]},
			{"type": "equal", "point": ["header", "X-ENV"], "value": "staging"}]`,
			`/{{^v[0-9]$}}/users/{{^[0-9]+$}} [instance equal "12", header(X-ENV) equal "staging"]`,
		},
		{"9 trailing slash", Scope().Path("/reports/"), `[
			{"type": "equal", "point": ["path", 0], "value": "reports"},
			{"type": "absent", "point": ["path", 1]},
			{"type": "equal", "point": ["action_name"], "value": ""},
			{"type": "absent", "point": ["action_ext"]}]`, "/reports/"},
		{"10 any depth, fixed last part", Scope().Path("/shop/**/export"), `[
			{"type": "equal", "point": ["path", 0], "value": "shop"},
			{"type": "equal", "point": ["action_name"], "value": "export"},
			{"type": "absent", "point": ["action_ext"]}]`, "/shop/**/export"},
	} {
		t.Run(test.name, func(t *testing.T) {
			made, err := test.scope.Conditions()
			require.NoError(t, err)
			want := readConditions(t, test.want)
			require.ElementsMatch(t, want, made)
			require.True(t, want.Equal(made))
			encoded, err := wire.Marshal(made)
			require.NoError(t, err)
			var sent, expected []any
			require.NoError(t, json.Unmarshal(encoded, &sent))
			require.NoError(t, json.Unmarshal([]byte(test.want), &expected))
			require.ElementsMatch(t, expected, sent, "what travels is what the example shows")
			require.Equal(t, test.pattern, made.String())
		})
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	want, err := Scope().Path("/my/api/**/*.*").Conditions()
	require.NoError(t, err)
	require.Len(t, want, 2)
	for _, path := range []string{"/my/api", "/my/api/", "/my/api/*", "/my/api/**", "/my/api/**/*.*"} {
		made, err := Scope().Prefix(path).Conditions()
		require.NoError(t, err, path)
		require.Equal(t, want, made, path)
	}
	for _, path := range []string{"/", "/*", "/**", "/**/*.*"} {
		_, err := Scope().Prefix(path).Conditions()
		require.ErrorIs(t, err, ErrInvalidArgument, "%s is everything, which nobody means by a prefix", path)
	}
	for _, path := range []string{"/a/*/*", "/a/*/", "/a/*/**", "/a/*/**/*.*", "/*/a/*/*", "/*/*"} {
		_, err := Scope().Prefix(path).Conditions()
		require.ErrorIs(t, err, ErrInvalidArgument, "%s would be all that is below a shorter prefix", path)
	}
	made, err := Scope().Prefix("/{{^v[0-9]$}}/*/admin").Conditions()
	require.NoError(t, err)
	require.Equal(t, "/{{^v[0-9]$}}/*/admin/**/*.*", made.String())
}

// TestPatterns are forms beyond the worked examples.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		scope ScopeBuilder
		want  string
	}{
		{Scope().Path("/"), `[{"type":"absent","point":["path",0]},{"type":"equal","point":["action_name"],"value":""},{"type":"absent","point":["action_ext"]}]`},
		{Scope().Host("*").Path("/**/*.*").Method("GET"), `[{"type":"equal","point":["method"],"value":"GET"}]`},
		{Scope().URL("https://example.org"), `[{"type":"iequal","point":["header","HOST"],"value":"example.org"}]`},
		{Scope().URL("HTTP://Example.org#part"), `[{"type":"iequal","point":["header","HOST"],"value":"example.org"}]`},
		{Scope().URL("wss://api.example.com"), `[{"type":"iequal","point":["header","HOST"],"value":"api.example.com"}]`},
		{Scope().URL("GET Ws://api.example.com"), `[{"type":"equal","point":["method"],"value":"GET"},
			{"type":"iequal","point":["header","HOST"],"value":"api.example.com"}]`},
		{Scope().URL("example.org?u=ftp://x"), `[{"type":"iequal","point":["header","HOST"],"value":"example.org"},
			{"type":"equal","point":["get","u"],"value":"ftp://x"}]`},
		{Scope().URL("example.org?a=1&b&&c=x%20y"), `[{"type":"iequal","point":["header","HOST"],"value":"example.org"},
			{"type":"equal","point":["get","a"],"value":"1"},{"type":"equal","point":["get","b"],"value":""},
			{"type":"equal","point":["get","c"],"value":"x%20y"}]`},
		{Scope().URL("get /**/*.*?n={{^[0-9]{2}}}"), `[{"type":"equal","point":["method"],"value":"GET"},
			{"type":"regex","point":["get","n"],"value":"^[0-9]{2}"}]`},
		{Scope().Path("/**/feed.xml"), `[{"type":"equal","point":["action_name"],"value":"feed"},{"type":"equal","point":["action_ext"],"value":"xml"}]`},
		{Scope().Path("/a/*.*"), `[{"type":"equal","point":["path",0],"value":"a"},{"type":"absent","point":["path",1]}]`},
		{Scope().Path("/.htaccess"), `[{"type":"absent","point":["path",0]},{"type":"equal","point":["action_name"],"value":""},
			{"type":"equal","point":["action_ext"],"value":"htaccess"}]`},
		{Scope().Path("/{{a/b.c}}.{{x|y}}"), `[{"type":"absent","point":["path",0]},{"type":"regex","point":["action_name"],"value":"a/b.c"},
			{"type":"regex","point":["action_ext"],"value":"x|y"}]`},
		{Scope().Path("/{{[0-9]{3}}}/x"), `[{"type":"regex","point":["path",0],"value":"[0-9]{3}"},{"type":"absent","point":["path",1]},
			{"type":"equal","point":["action_name"],"value":"x"},{"type":"absent","point":["action_ext"]}]`},
		{Scope().Host("{{.*[.]example[.]com}}"), `[{"type":"regex","point":["header","HOST"],"value":".*[.]example[.]com"}]`},
		{Scope().Header("host", "Example.COM"), `[{"type":"iequal","point":["header","HOST"],"value":"example.com"}]`},
		{Scope().HeaderIs("x-env", ConditionIEqual, "Staging"), `[{"type":"iequal","point":["header","X-ENV"],"value":"staging"}]`},
		{Scope().HeaderIs("Authorization", ConditionAbsent, ""), `[{"type":"absent","point":["header","AUTHORIZATION"]}]`},
		{Scope().Method("post").Scheme("HTTPS").Proto("1.1").Application(-1).Query("q", "*"), `[{"type":"equal","point":["method"],"value":"POST"},
			{"type":"equal","point":["scheme"],"value":"https"},{"type":"equal","point":["proto"],"value":"1.1"},
			{"type":"equal","point":["instance"],"value":"-1"},{"type":"equal","point":["get","q"],"value":"*"}]`},
		{Scope().URI("/a?b=c"), `[{"type":"equal","point":["uri"],"value":"/a?b=c"}]`},
		{Scope().URI("{{^/a}}"), `[{"type":"regex","point":["uri"],"value":"^/a"}]`},
		{Scope().Raw(Condition{Point: Point{NewStep("method")}, Value: "GET"}), `[{"type":"equal","point":["method"],"value":"GET"}]`},
		{Scope().Method("GET").Method("get"), `[{"type":"equal","point":["method"],"value":"GET"}]`},
	} {
		made, err := test.scope.Conditions()
		require.NoError(t, err, test.want)
		want := readConditions(t, test.want)
		require.True(t, want.Equal(made), "want %s, have %s", want, made)
	}
}

func TestScopeRefuses(t *testing.T) {
	t.Parallel()
	deep := "/" + strings.Repeat("x/", 60)
	for name, scope := range map[string]ScopeBuilder{
		"empty path":          Scope().Path(""),
		"relative path":       Scope().Path("api"),
		"query in path":       Scope().Path("/a?b=c"),
		"part of a part":      Scope().Path("/img/logo*"),
		"part of extension":   Scope().Path("/img/logo.tar.*"),
		"globstar at the end": Scope().Path("/my/api/**"),
		"globstar early":      Scope().Path("/**/api/x"),
		"two globstars":       Scope().Path("/**/**/x"),
		"* before globstar":   Scope().Path("/a/*/**/x"),
		"half a regex":        Scope().Path("/v{{[0-9]}}/x"),
		"open regex":          Scope().Path("/{{[0-9]"),
		"empty regex":         Scope().Path("/{{}}/x"),
		"two paths":           Scope().Path("/a").Prefix("/b"),
		"two paths in one":    Scope().Prefix("/a").Path("/**/x"),
		"query in prefix":     Scope().Prefix("/a?b=c"),
		"fragment in prefix":  Scope().Prefix("/a#b"),
		"control character":   Scope().Path("/a\nb"),
		"empty prefix":        Scope().Prefix(""),
		"relative prefix":     Scope().Prefix("api"),
		"empty host":          Scope().Host(""),
		"URL as host":         Scope().Host("https://example.com"),
		"wildcard in host":    Scope().Host("*.example.com"),
		"two hosts":           Scope().Host("a.example.com").Host("b.example.com"),
		"method":              Scope().Method("GET /"),
		"application 0":       Scope().Application(0),
		"application -2":      Scope().Application(-2),
		"header name":         Scope().Header("X Y", "z"),
		"absent with value":   Scope().HeaderIs("X", ConditionAbsent, "z"),
		"line break in value": Scope().Header("X", "a\r\nb"),
		"empty expression":    Scope().HeaderIs("X", ConditionRegex, ""),
		"query without name":  Scope().Query("", "x"),
		"query in URL":        Scope().URL("example.com/?=x"),
		"scheme":              Scope().Scheme("ftp"),
		"proto":               Scope().Proto("HTTP/1.1"),
		"relative URI":        Scope().URI("a"),
		"wildcard in URI":     Scope().URI("/my/api/*"),
		"regex in URI":        Scope().URI("/{{^v[0-9]$}}/users"),
		"port of no number":   Scope().Host("example.com:http"),
		"empty port":          Scope().Host("example.com:"),
		"port alone":          Scope().Host(":8443"),
		"address without []":  Scope().Host("2001:db8::1"),
		"one slash":           Scope().URL("https:/shop.example.com/login"),
		"no slash":            Scope().URL("http:shop.example.com"),
		"mail address":        Scope().URL("mailto:x"),
		"scheme and colon":    Scope().URL("GET https:"),
		"empty URL":           Scope().URL("  "),
		"only a scheme":       Scope().URL("https://"),
		"another scheme":      Scope().URL("ftp://example.com/x"),
		"no host":             Scope().URL("https:///x"),
		"no host but a query": Scope().URL("https://?a=b"),
		"scheme of a file":    Scope().URL("GET file:///etc"),
		"two schemes":         Scope().URL("https://ws://example.com/x"),
		"no scheme":           Scope().URL("//example.com/socket"),
		"method, no scheme":   Scope().URL("GET //example.com/socket"),
		"two expressions":     Scope().Path("/{{a}}{{b}}"),
		"text between them":   Scope().Path("/{{a}}x{{b}}/y"),
		"two in a host":       Scope().Host("{{a}}{{b}}"),
		"two in a URI":        Scope().URI("{{a}}{{b}}"),
		"two in a query":      Scope().URL("/x?q={{a}}{{b}}"),
		"URI beside a path":   Scope().URI("/a").Path("/a"),
		"URI beside a query":  Scope().URI("/a").Query("q", "x"),
		"remote address":      Scope().Raw(Condition{Point: Point{RemoteAddr()}, Value: "192.0.2.1"}),
		"two steps":           Scope().Raw(Condition{Point: Point{Header("X"), Base64()}, Value: "x"}),
		"no point":            Scope().Raw(Condition{Value: "x"}),
		"no raw conditions":   Scope().Raw(),
		"empty list":          Scope().Host("shop.example.com").Raw(Conditions{}...),
		"contradiction":       Scope().Method("GET").Method("PUT"),
		"letter case":         Scope().Query("q", "a").Query("q", "A"),
		"too many":            Scope().Path(deep),
	} {
		_, err := scope.Conditions()
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	_, err := Scope().Path("").Host("").Conditions()
	require.ErrorContains(t, err, "path")
	require.ErrorContains(t, err, "host", "all complaints come out")
	_, err = Scope().Raw(Condition{Point: Point{RemoteAddr()}, Value: "192.0.2.1"}).Conditions()
	require.ErrorContains(t, err, "advanced conditions", "the way to say it is named")
	_, err = Scope().Path("/my/api/**").Conditions()
	require.ErrorContains(t, err, "Prefix")
}

// TestScopeOfEveryRequestIsSaidPlainly: what calls on a scope leave without a condition is every request, which only Scope() alone means.
func TestScopeOfEveryRequestIsSaidPlainly(t *testing.T) {
	t.Parallel()
	for name, scope := range map[string]ScopeBuilder{
		"path":            Scope().Path("/**/*.*"),
		"any host":        Scope().Host("*"),
		"path and host":   Scope().Host("*").Path("/**/*.*"),
		"URL of any host": Scope().URL("*"),
		"URL of a path":   Scope().URL("*/**/*.*"),
		"empty query":     Scope().URL("?"),
		"ampersands":      Scope().URL("?&&"),
		"empty fragment":  Scope().URL("GET ?#"),
		"host and query":  Scope().URL("*?"),
		"scheme and host": Scope().URL("https://*"),
	} {
		_, err := scope.Conditions()
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		_, err = (&NewRule{Scope: scope, Spec: VirtualPatch{AttackType: AnyAttack, Point: Point{Header("HOST")}}}).body(7)
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	every, err := Scope().Conditions()
	require.NoError(t, err)
	require.Empty(t, every)
}

func TestScopeBuilderIsAValue(t *testing.T) {
	t.Parallel()
	base := Scope().Host("shop.example.com").Method("GET").Path("")
	first, second := base.Application(1), base.Application(2)
	require.Len(t, base.conditions, 2)
	require.Equal(t, "1", first.conditions[2].Value)
	require.Equal(t, "2", second.conditions[2].Value)
	bad, worse := base.Host(""), base.Method("")
	require.Len(t, base.errs, 1)
	require.ErrorContains(t, bad.errs[1], "host")
	require.ErrorContains(t, worse.errs[1], "method")
}

// TestConditionsHash has the check values of docs/wire/rules.md, section 3.4.
func TestConditionsHash(t *testing.T) {
	t.Parallel()
	require.Equal(t, "5b8b61bd5ed79de9b3d130436a1e5a63ec663e224557ccb981bbb491a891b4dc", Conditions{}.Hash())
	require.Equal(t, "5b8b61bd5ed79de9b3d130436a1e5a63ec663e224557ccb981bbb491a891b4dc", Conditions(nil).Hash())
	login, err := Scope().URL("Shop.Example.com/api/login").Conditions()
	require.NoError(t, err)
	require.Equal(t, "77c0782aecbbaee7c530185a3b8b16eccc6dbd51faafca97f1ed8c008c75ac4f", login.Hash())
	require.Equal(t, `[["point","[\"path\",0]"],["type","equal"],["value","api"]]`,
		Condition{Type: ConditionEqual, Point: Point{PathSegment(0)}, Value: "api"}.hashText())
	require.Contains(t, Condition{Type: ConditionRegex, Point: Point{NewStep("uri")}, Value: "<&>"}.hashText(), "<&>")

	// The form in which conditions came does not matter.
	received := readConditions(t, `[
		{"point": ["action_name"], "value": "login"}, {"type": "absent", "point": ["path", "1"], "value": null},
		{"type": "equal", "point": [["path", 0]], "value": "api", "weight": 5}, {"type": "absent", "point": ["action_ext"], "value": ""},
		{"type": "equal", "point": ["header", "Host"], "value": "SHOP.example.com"}, {"type": "equal", "point": ["path", 0], "value": "api"}]`)
	require.Equal(t, login.Hash(), received.Hash())
	require.True(t, login.Equal(received))
	require.False(t, login.Equal(received[1:]))
	encoded, err := wire.Marshal(received.Normalized())
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "weight", "it must not be sent")
}

// TestPatternRoundTrip: a pattern that claims to be complete leads back to the same conditions.
func TestPatternRoundTrip(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		conditions string
		ok         bool
	}{
		{`[]`, false}, // which URL refuses: it is every request
		{`[{"type":"absent","point":["path",1]}]`, true},
		{`[{"type":"equal","point":["path",2],"value":"x"}]`, true},
		{`[{"type":"absent","point":["action_ext"]}]`, true},
		{`[{"type":"equal","point":["action_ext"],"value":"a.b"}]`, true},
		{`[{"type":"equal","point":["path",0],"value":""}]`, true},
		{`[{"type":"equal","point":["get","a"],"value":"b"},{"type":"equal","point":["method"],"value":"GET"}]`, true},
		{`[{"type":"equal","point":["method"],"value":"get"}]`, false},
		{`[{"type":"absent","point":["path",0]},{"type":"equal","point":["path",1],"value":"x"}]`, false},
		{`[{"type":"absent","point":["path",0]},{"type":"absent","point":["path",1]}]`, false},
		{`[{"type":"equal","point":["path",0],"value":"a/b"}]`, false},
		{`[{"type":"equal","point":["path",0],"value":"*"}]`, false},
		{`[{"type":"equal","point":["path",0],"value":"**"}]`, false},
		{`[{"type":"equal","point":["action_name"],"value":"a.b"}]`, false},
		{`[{"type":"equal","point":["action_name"],"value":"a?b#c"}]`, false},
		{`[{"type":"iequal","point":["action_name"],"value":"a"}]`, false},
		{`[{"type":"equal","point":["get","a=b"],"value":"c"}]`, false},
		{`[{"type":"equal","point":["path",123456789],"value":"x"}]`, false},
		{`[{"type":"absent","point":["path",123456789]}]`, false},
		{`[{"type":"equal","point":["instance"],"value":"3"}]`, false},
		{`[{"type":"likely","point":["path",0],"value":"x"}]`, false},
		{`[{"type":"equal","point":["path",0,"x"],"value":"x"}]`, false},
	} {
		conditions := readConditions(t, test.conditions)
		pattern, ok := conditions.Pattern()
		require.Equal(t, test.ok, ok, "%s: %s", test.conditions, pattern)
		require.NotEmpty(t, conditions.String())
	}
}

// TestConditionsOutsideOfAPatternAreShown: what no pattern expresses stands in brackets, and nothing else is taken for a part of the path.
func TestConditionsOutsideOfAPatternAreShown(t *testing.T) {
	t.Parallel()
	for _, condition := range []Condition{
		{Type: ConditionEqual, Point: Point{PathSegment(0), Base64()}, Value: "x"},
		{Type: ConditionEqual, Point: Point{ActionName(), Base64()}, Value: "x"},
		{Type: ConditionIEqual, Point: Point{PathSegment(0)}, Value: "x"},
		{Type: ConditionIEqual, Point: Point{ActionName()}, Value: "x"},
		{Type: ConditionAbsent, Point: Point{ActionName()}},
		{Type: "likely", Point: Point{QueryParam("q")}, Value: "x"},
	} {
		require.Equal(t, "/**/*.* ["+condition.String()+"]", Conditions{condition}.String())
	}
}

// TestOldWeightIsLeftBehind: other members that nobody has heard of are not.
func TestOldWeightIsLeftBehind(t *testing.T) {
	t.Parallel()
	extra := Extra{"weight": RawJSON(`5`), "colour": RawJSON(`"red"`)}
	made := Conditions{{Type: ConditionEqual, Point: Point{ActionName()}, Value: "x", Extra: extra}}.Normalized()
	require.Equal(t, Extra{"colour": RawJSON(`"red"`)}, made[0].Extra)
	require.Len(t, extra, 2, "the caller's conditions stay as they are")
}

// TestConditionsThatDifferInOtherMembers: nobody knows what these say, so both conditions travel.
func TestConditionsThatDifferInOtherMembers(t *testing.T) {
	t.Parallel()
	plain := Condition{Type: ConditionEqual, Point: Point{ActionName()}, Value: "x"}
	red, again := plain, plain
	red.Extra, again.Extra = Extra{"colour": RawJSON(`"red"`)}, Extra{"colour": RawJSON(`"red"`)}
	require.Equal(t, Conditions{plain, red}, Conditions{plain, red, again, plain}.Normalized())
	require.Equal(t, Conditions{plain}.Hash(), Conditions{plain, red}.Hash())
	require.True(t, Conditions{red}.Equal(Conditions{red, plain}))
}

// TestPatternOfAnEmptyFirstPart: a text that begins with two slashes is refused, so the pattern names a host.
func TestPatternOfAnEmptyFirstPart(t *testing.T) {
	t.Parallel()
	made, err := Scope().Path("//x").Conditions()
	require.NoError(t, err)
	text, ok := made.Pattern()
	require.True(t, ok)
	require.Equal(t, "*//x", text)
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{
		"POST example.org:8443/tenants/*/reports/*.csv?draft=no", "/{{^v[0-9]$}}/users/{{^[0-9]+$}}", "/**/*.*", "/a//b/", "x?y=z#u", "{{a}}/{{b}}.{{c}}",
		"/{{[0-9]{3}}}/x", "/a.b.c/d.e.f", "*/", "//", "/.", "https:///", "*//x", "wss://a//b", "http://ws://x", "?a={{b}}{{c}}", "get a", "/{{", "/}}", "?a={{b}}&c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		made, err := Scope().URL(text).Conditions()
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidArgument)
			return
		}
		pattern, ok := made.Pattern()
		again, err := Scope().URL(pattern).Conditions()
		if ok {
			require.NoError(t, err)
			require.True(t, made.Equal(again), "%q became %q", text, pattern)
		}
		data, err := wire.Marshal(made)
		if !areTexts(text) {
			return // it may be refused now, or have lost what is no text
		}
		require.NoError(t, err)
		var read Conditions
		require.NoError(t, wire.Unmarshal(data, &read))
		require.True(t, made.Equal(read), "%q travelled as %s", text, data)
	})
}

// isAmbiguous reports whether the flat form of a point means another one: a parser lacks its key, and what follows passes for it.
func isAmbiguous(c Condition) bool {
	for i, step := range c.Point {
		if i+1 < len(c.Point) && step.key.kind == noKey && keyOf[step.Name] != noKey {
			return true
		}
	}
	return false
}

// FuzzConditions: what is read is written back and reads back to the same, normal conditions stay as they are, and the hash looks at nothing else.
func FuzzConditions(f *testing.F) {
	for _, seed := range []string{
		`[]`, `null`, `{"type":"equal","point":["uri"],"value":"/a"}`,
		`[{"point":["action_name"],"value":"login"},{"type":"absent","point":["path","1"],"value":null},{"type":"equal","point":[["path",0]],"value":"api","weight":5}]`,
		`[{"type":"iequal","point":["header","Host"],"value":"SHOP.example.com"},{"type":"likely","point":["get","a"],"value":7,"note":[1]}]`,
		`[{"type":"equal","point":["path",123456789],"value":"x"},{"type":"absent","point":["path",-1]}]`,
		`[{"00":""},{"point":["path",["0"]]}]`,
		`[{"00000":["0"]},{"0000":"0","point":["path",[0]]}]`,
		`[{"type":"regex","point":["action_ext"],"value":"}}{{"},{"type":"equal","point":[],"value":"\ud800"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var read, again Conditions
		if wire.Unmarshal(data, &read) != nil {
			return
		}
		written, err := wire.MarshalEcho(read)
		require.NoError(t, err)
		require.NoError(t, wire.Unmarshal(written, &again), "%s became %s", data, written)
		twice, err := wire.MarshalEcho(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(twice), "%s", data)
		if !slices.ContainsFunc(read, isAmbiguous) {
			require.True(t, read.Equal(again), "%s became %s", data, written)
		}
		normal := read.Normalized()
		require.Equal(t, normal.Hash(), normal.Normalized().Hash(), "%s", data)
		require.Equal(t, read.Hash(), normal.Hash(), "%s", data)
		turned := slices.Clone(read)
		slices.Reverse(turned)
		require.True(t, read.Equal(turned), "the order of %s means something", data)
		require.Less(t, len(read.String()), 10*len(data)+20*maxPathIndex)
		if pattern, ok := read.Pattern(); ok {
			made, err := Scope().URL(pattern).Conditions()
			require.NoError(t, err)
			require.True(t, made.Equal(read), "%s became %q", data, pattern)
		}
		if read.Validate() != nil {
			return
		}
		sent, err := wire.Marshal(normal)
		require.NoError(t, err)
		var received Conditions
		require.NoError(t, wire.Unmarshal(sent, &received))
		require.True(t, read.Equal(received), "%s travelled as %s", data, sent)
	})
}

// FuzzScope: what a builder takes is valid, travels, and means the same whichever method said it; what it does not take is a bad argument.
func FuzzScope(f *testing.F) {
	f.Add("shop.example.com", "/api/login", "GET", "a", "1", "X-Env", "/api?a=1")
	f.Add("{{.*[.]example[.]com}}", "/{{^v[0-9]$}}/*/x.*", "post", "q", "*", "Host", "{{^/a}}")
	f.Add("*", "/**/*.*", "", "", "", "", "")
	f.Add("0", "0", "0", "0", "0", "0", "{{\x15}}")
	f.Add("a.example.com:8443", "/a//b/", "PATCH", "a=b", "\xff", "HOST", "/")
	f.Fuzz(func(t *testing.T, host, path, method, name, value, header, uri string) {
		for _, scope := range []ScopeBuilder{
			Scope().Host(host), Scope().Path(path), Scope().Prefix(path), Scope().Method(method), Scope().Query(name, value), Scope().Header(header, value),
			Scope().HeaderIs(header, ConditionIEqual, value), Scope().HeaderIs(header, ConditionAbsent, ""), Scope().QueryIs(name, ConditionRegex, value),
			Scope().URI(uri), Scope().Host(host).Path(path).Method(method).Query(name, value).Header(header, value),
			Scope().Host(host).Prefix(path).URL(uri), Scope().Scheme(method).Proto(value),
		} {
			made, err := scope.Conditions()
			if err != nil {
				require.ErrorIs(t, err, ErrInvalidArgument)
				continue
			}
			require.NoError(t, made.Validate())
			require.True(t, made.Equal(made.Normalized()))
			sent, err := wire.Marshal(made)
			if !areTexts(host, path, method, name, value, header, uri) {
				continue // what is not UTF-8 is refused when it is sent
			}
			require.NoError(t, err)
			var received Conditions
			require.NoError(t, wire.Unmarshal(sent, &received))
			require.True(t, made.Equal(received), "%s travelled as %s", made, sent)
			for _, condition := range made {
				require.False(t, hasControl(condition.Value), "%q", condition.Value)
			}
		}
	})
}

func TestConditionTexts(t *testing.T) {
	t.Parallel()
	require.Equal(t, `path(0) equal "a"`, Condition{Point: Point{PathSegment(0)}, Value: "a"}.String())
	data, err := json.Marshal(Condition{Type: ConditionAbsent, Point: Point{ActionExt()}, Extra: Extra{"note": RawJSON(`"x"`)}})
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"absent","point":["action_ext"],"note":"x"}`, string(data))
	var c Condition
	require.NoError(t, json.Unmarshal([]byte(`{"type":"equal","point":["instance"],"value":`+strconv.Itoa(12)+`,"note":1}`), &c))
	require.Equal(t, "12", c.Value)
	require.Equal(t, Extra{"note": RawJSON("1")}, c.Extra)
}

// TestConditionPoints: the list of condition points is complete; a parser that nobody knows is left to the API.
func TestConditionPoints(t *testing.T) {
	t.Parallel()
	for _, step := range []Step{
		Header("X"), PathSegment(1), ActionName(), ActionExt(), NewStep("method"), NewStep("scheme"), NewStep("proto"), WholeURI(),
		QueryParam("q"), NewStep("instance"), NewStep("brand_new"),
	} {
		require.NoError(t, Conditions{{Point: Point{step}, Value: "x"}}.Validate(), step)
	}
	for _, step := range []Step{Cookie("sid"), RequestBody(), JSONDoc(), AllOf("get"), NamesOf("header"), Base64(), RemoteAddr()} {
		require.ErrorIs(t, Conditions{{Point: Point{step}, Value: "x"}}.Validate(), ErrInvalidArgument, step)
	}
	require.ErrorIs(t, Conditions{{Type: ConditionAbsent, Point: Point{ActionExt()}, Value: "x"}}.Validate(), ErrInvalidArgument)
	_, err := Scope().Raw(Condition{Type: ConditionAbsent, Point: Point{ActionExt()}, Value: "php"}).Conditions()
	require.ErrorIs(t, err, ErrInvalidArgument, "a value would be dropped in silence")
	rule := NewRule{Conditions: Conditions{{Type: ConditionAbsent, Point: Point{ActionExt()}, Value: "php"}}, Spec: BOLACounter{}}
	_, err = rule.body(1)
	require.ErrorIs(t, err, ErrInvalidArgument)
}

// TestNoContradiction: these can all hold.
func TestNoContradiction(t *testing.T) {
	t.Parallel()
	x := Point{Header("X")}
	for _, pair := range [][2]Condition{
		{{Type: ConditionEqual, Point: x, Value: "Abc"}, {Type: ConditionIEqual, Point: x, Value: "abc"}},
		{{Type: ConditionEqual, Point: x, Value: "Abc"}, {Type: "prefix", Point: x, Value: "A"}},
		{{Type: ConditionEqual, Point: x, Value: "Abc"}, {Type: ConditionRegex, Point: x, Value: "^A"}},
	} {
		_, err := Scope().Raw(pair[:]...).Conditions()
		require.NoError(t, err)
	}
	for _, pair := range [][2]Condition{
		{{Type: ConditionEqual, Point: x, Value: "Abc"}, {Type: ConditionIEqual, Point: x, Value: "abd"}},
		{{Type: ConditionIEqual, Point: x, Value: "a"}, {Type: ConditionAbsent, Point: x}},
		{{Type: ConditionRegex, Point: x, Value: "a"}, {Type: ConditionAbsent, Point: x}},
	} {
		_, err := Scope().Raw(pair[:]...).Conditions()
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
}

// TestEndpointConditionOfANewType: what was read can be sent again.
func TestEndpointConditionOfANewType(t *testing.T) {
	t.Parallel()
	var c EndpointCondition
	require.NoError(t, json.Unmarshal([]byte(`{"type":"prefix","value":"a","point":["path",0]}`), &c))
	require.NoError(t, validateConditions("conditions", []EndpointCondition{c}))
	c.Type = ""
	require.ErrorIs(t, validateConditions("conditions", []EndpointCondition{c}), ErrInvalidArgument)
}

// TestEndpointConditionsAreChecked: the value must go with the type, as in rules.
func TestEndpointConditionsAreChecked(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, answerJSON(`{}`))
	host := Point{Header("HOST")}
	for name, c := range map[string]EndpointCondition{
		"empty regex":        {Type: EndpointRegex, Point: host},
		"absent and a value": {Type: EndpointAbsent, Point: host, Value: "x"},
		"no text":            {Type: EndpointEqual, Point: host, Value: "\xff"},
		"no point":           {Type: EndpointEqual, Value: "x"},
	} {
		conditions := []EndpointCondition{c}
		_, err := client.APISessions.UpdateExportConfig(t.Context(), 5, SessionExportConfigUpdate{Conditions: Set(conditions)})
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		_, err = client.APISessions.CreateExportConfig(t.Context(), NewSessionExportConfig{
			Conditions: conditions, Rules: []NewSessionExportRule{{Point: host}},
		})
		require.ErrorIs(t, err, ErrInvalidArgument, name)
		_, err = client.APIDiscovery.Create(t.Context(), NewAPIEndpoint{Method: "GET", URL: "shop.example.com/x", Conditions: conditions})
		require.ErrorIs(t, err, ErrInvalidArgument, name)
	}
	require.Empty(t, server.requests(), "nothing may be sent")
}

// TestAnyPartMakesNoCondition: what the docstring of Path says, that a path without the part has all that is asked for, and one with {{.+}} has not.
func TestAnyPartMakesNoCondition(t *testing.T) {
	points := func(pattern string) (points []string) {
		conditions, err := Scope().Path(pattern).Conditions()
		require.NoError(t, err)
		for _, c := range conditions {
			points = append(points, c.String())
		}
		slices.Sort(points)
		return points
	}
	require.Equal(t, []string{`action_ext absent`, `action_name equal "x"`, `path(0) equal "a"`, `path(2) absent`}, points("/a/*/x"))
	require.Equal(t, []string{`action_ext absent`, `action_name equal "x"`, `path(0) equal "a"`, `path(1) regex ".+"`, `path(2) absent`}, points("/a/{{.+}}/x"))
}
