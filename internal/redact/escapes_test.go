package redact

import (
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// oddSecrets hold what escapes are made of, or look as if they were escaped.
var oddSecrets = []string{
	"Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==", "test-token/a+b=c&d", `horse\/battery\staple`, "Correct-Horse-😀-Battery-1", "Correct-Horse-é-Battery-1",
	`Corr"ect\tHorse-Battery-1`, "Correct&Horse%41-Battery-1", "Correct<Horse&lt;Battery-1", `Correct&Horse\u0041-Battery-1`, "Correct Horse+Battery%201",
	`Correct&Horse\nBattery-1`, "Correct/Horse%2FBattery?1", `it's "quoted" \\ <twice>`, "&amp;&&amp;amp;%25%%2525", `\\\/\\u005c\\\\`, "~test~0token~1/~01",
	"line 1\nline\t2\r\u2028\x7f", "日本語-пароль-😀😀", "test-token-plain",
}

// escapers are the ways to escape a text. All of them can be undone.
var escapers = []struct {
	name   string
	escape func(string) string
}{
	{"JSON", func(s string) string { return inJSON(s, false) }},
	{"JSON with HTML escaped", func(s string) string { return inJSON(s, true) }},
	{"JSON as of Gson", func(s string) string {
		return strings.NewReplacer("=", `\u003d`, "&", `\u0026`, "<", `\u003c`, ">", `\u003e`, "'", `\u0027`).Replace(inJSON(s, false))
	}},
	{"JSON as of .NET", func(s string) string {
		s = strings.NewReplacer(`\"`, `\u0022`, "+", `\u002B`, "&", `\u0026`, "<", `\u003C`, ">", `\u003E`, "'", `\u0027`, "`", `\u0060`).Replace(inJSON(s, false))
		return perRune(s, func(r rune) string {
			if r < utf8.RuneSelf {
				return string(r)
			}
			return units(r, `\u%04X`)
		})
	}},
	{"JSON as of PHP", func(s string) string { return strings.ReplaceAll(inJSON(s, false), "/", `\/`) }},
	{"JSON of escapes alone", func(s string) string { return perRune(s, func(r rune) string { return units(r, `\u%04x`) }) }},
	{"HTML", html.EscapeString},
	{"HTML of names", func(s string) string {
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", "/", "&sol;", "=", "&equals;", "+", "&plus;", `\`, "&bsol;", "é", "&eacute;", "%", "&percnt;").Replace(s)
	}},
	{"HTML of decimal numbers", func(s string) string { return perRune(s, func(r rune) string { return fmt.Sprintf("&#%03d;", r) }) }},
	{"HTML of hexadecimal numbers", func(s string) string { return perRune(s, func(r rune) string { return fmt.Sprintf("&#x%X;", r) }) }},
	{"a query", url.QueryEscape},
	{"a path", url.PathEscape},
	{"a URL of escapes alone", percent},
	{"a URL of small escapes alone", func(s string) string { return strings.ToLower(percent(s)) }},
	{"a JSON pointer", pointerEscapes.Replace},
	{"Go", func(s string) string { return strings.TrimSuffix(strconv.Quote(s)[1:], `"`) }},
	{"Go in ASCII", func(s string) string { return strings.TrimSuffix(strconv.QuoteToASCII(s)[1:], `"`) }},
	{"C", strings.NewReplacer(`\`, `\\`, `"`, `\"`, "?", `\?`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace},
	{"C of octal escapes alone", octal},
}

// octal escapes every byte of a text.
func octal(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, `\%03o`, s[i])
	}
	return b.String()
}

func inJSON(s string, escapeHTML bool) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(escapeHTML)
	if err := encoder.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String()[1:], "\"\n")
}

func perRune(s string, escape func(rune) string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(escape(r))
	}
	return b.String()
}

// units writes a character as the one or two units of UTF-16 that JSON knows.
func units(r rune, format string) (escaped string) {
	for _, unit := range utf16.Encode([]rune{r}) {
		escaped += fmt.Sprintf(format, unit)
	}
	return escaped
}

// TestEverySecretInEveryEscape is masked as a whole and alone, escaped up to three times over in every order, and once more by the JSON of an answer.
func TestEverySecretInEveryEscape(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, secret := range oddSecrets {
		known := Sent(nil, nil, []string{secret})
		check := func(escaped string, by ...string) {
			checkMasked(t, random, known, escaped, append(by, "of "+secret)...)
		}
		check(secret)
		for _, first := range escapers {
			once := first.escape(secret)
			check(once, first.name)
			for _, second := range escapers {
				twice := second.escape(once)
				check(twice, first.name, second.name)
				third := escapers[random.IntN(len(escapers))]
				thrice := third.escape(twice)
				check(thrice, first.name, second.name, third.name)
				check(inJSON(thrice, true), first.name, second.name, third.name, "JSON")
			}
		}
	}
}

// surroundings may look like a part of an escape.
var surroundings = [][2]string{
	{`\`, `\`}, {`%`, `5b`}, {"&", ";"}, {"&#", "0;"}, {`{"a":"`, `"}`}, {"~", "~"}, {`\u00`, "41"}, {"é", "é"}, {"+", "+"}, {"x&amp", "amp;"},
}

// checkMasked looks for an escaped secret in longer texts, whole and cut.
func checkMasked(t *testing.T, random *rand.Rand, known Credentials, escaped string, by ...string) {
	t.Helper()
	long := strings.Repeat("p", 100)
	text := long + " <" + escaped + "> " + long
	want := long + " <" + Mask + "> " + long
	if known.Text(text) != want || string(known.Bytes([]byte(text))) != want {
		require.Equal(t, want, known.Text(text), by)
	}
	for _, part := range []int{1 + random.IntN(10), random.IntN(len(escaped) + 1), len(escaped) - 1} {
		n := len(long) + 2 + part
		cut, excerpt := string(known.Cut([]byte(text), n)), known.Excerpt(text[:n]+"…")
		if !strings.HasPrefix(want, cut) || !strings.HasPrefix(want, strings.TrimSuffix(excerpt, "…")) {
			t.Fatalf("%q cut after %d bytes is shown as %q and %q by %q", escaped, part, cut, excerpt, by)
		}
		if len(cut) > n || len(cut) < len(long) {
			t.Fatalf("%q cut after %d bytes becomes %d", text, n, len(cut))
		}
	}
	around := surroundings[random.IntN(len(surroundings))]
	checkCovered(t, known, around[0], escaped, around[1])
}

// checkCovered does not ask what becomes of the text around a secret, which may look like a part of it.
func checkCovered(t *testing.T, known Credentials, before, escaped, behind string) {
	t.Helper()
	found, _ := known.find(before + escaped + behind)
	for _, f := range found {
		if f.start <= len(before) && len(before)+len(escaped) <= f.end {
			return
		}
	}
	t.Fatalf("nothing masks %q between %q and %q", escaped, before, behind)
}

// TestTextsWithoutACredentialStay: what is no credential is not masked, however much it looks like one.
func TestTextsWithoutACredentialStay(t *testing.T) {
	known := Sent(nil, nil, oddSecrets)
	for _, text := range []string{
		"", "&", "&#", "&#x;", "&;", "&#;", "%", "%4", "%zz", `\`, `\u`, `\ud83d`, `\ud83d\u0041`, `\ud83dx`, `\U`, `\q`, "~", "~2", "+", "&nosuchentity;", "&notit;",
		"test-token&#47;a+b=c", `Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA\u003d`, "Correct-Horse-%F0%9F%98-Battery-1", "100%25 &amp; more", `C:\user\x`, "a &lt;b&gt; %2F",
		"&" + strings.Repeat("a", 100), strings.Repeat("%25", 100), strings.Repeat(`\`, 30), strings.Repeat("&amp;", 100), "\xff\xfe%ff%fe",
	} {
		require.Equal(t, text, known.Text(text))
		require.Equal(t, text, known.Text(text + " behind")[:len(text)])
	}
}

func TestUnescape(t *testing.T) {
	for escaped, want := range map[string]string{
		"+": " ", "%2f": "/", "%2F": "/", "%C3": "\xc3", "~0": "~", "~1": "/", `\/`: "/", `\\`: `\`, `\"`: `"`, `\n`: "\n", `\x2f`: "/", `\u002F`: "/", `\u00e9`: "é",
		`\141`: "a", `\303`: "\xc3", `\377`: "\xff", `\0`: "\x00", `\000`: "\x00", `\ud83d\uDE00`: "😀", `\U0001f600`: "😀", "&amp;": "&", "&amp": "&", "&AMP": "&", "&yacute": "ý", "&#61;": "=", "&#61": "=", "&#x3d;": "=", "&#X3D": "=", "&#0000061;": "=",
		"&semi;": ";", "&NotEqualTilde;": "≂̸", "&CounterClockwiseContourIntegral;": "∳",
		"%2": "", "%": "", "%2g": "", "~": "", "~2": "", `\`: "", `\u003`: "", `\ud83d`: "", `\ud83d\`: "", `\ud83d\u`: "", `\ude00`: "", `\ude00\ud83d`: "", `\ud83dx`: "", `\q`: "", `\14`: "", `\148`: "", `\400`: "",
		`\nn`: "", "&": "", "&;": "", "&#": "", "&#;": "", "&notit;": "", "&ampx": "", "&lt ": "", "&#61x": "", "x": "", "&sol": "",
	} {
		plain, _ := unescape([]byte(escaped))
		require.Equal(t, want, plain, escaped)
		if want == "" {
			continue
		}
		for n := 1; n < len(escaped); n++ {
			_, goesOn := unescape([]byte(escaped[:n]))
			require.True(t, goesOn, "%s is the beginning of %s", escaped[:n], escaped)
		}
	}
}

// hostile are texts that are read in many ways, and credentials that make many of these ways lead somewhere.
var hostile = struct {
	units       []string
	credentials map[string]Credentials
}{
	[]string{
		`\`, `\u005c`, `\\u005c`, `\\\\u005cu005c`, `&#92;`, `&#x5c;`, `\134`, `\\134`, `\\\\\\\\0`, `%5c`, `%255c`, `&bsol;`, `\\&bsol;`, `&amp;`, `&amp`, `&ampamp;`, "%25", "%2561", "&a",
		"&abcdefghijklmnopqrstuvwxyzabcdef", "&#0000000000097;", `\u0026#x26;`, `\\\\\\\\ud83d\\\\\\\\ude00`, "A", "%41", `\u0041`, "-", " ", `\n`, "x",
	},
	map[string]Credentials{
		"a token":             Sent(http.Header{"X-Token": {"AbCdEf0123456789abcdefABCDEF0123456789abcd"}}, nil, nil),
		"backslashes":         Sent(nil, nil, []string{strings.Repeat(`\`, 200), `\\host\share\`, strings.Repeat(`\`, 16)}),
		"long ones":           Sent(nil, nil, []string{strings.Repeat("A", 8000) + "b", strings.Repeat("%", 4000) + "b", strings.Repeat("\n", 4000) + "b", strings.Repeat("&", 999) + "b"}),
		"a key":               Sent(nil, nil, []string{"-----BEGIN PRIVATE KEY-----\n" + strings.Repeat(strings.Repeat("A", 64)+"\n", 26) + "-----END PRIVATE KEY-----\n"}),
		"many of one letter":  manyOf(strings.Repeat("A", 6)),
		"many of backslashes": manyOf(strings.Repeat(`\`, 6)),
	},
}

// manyOf returns a thousand credentials that begin with the same.
func manyOf(beginning string) Credentials {
	var secrets []string
	for i := range 1000 {
		secrets = append(secrets, beginning+strconv.Itoa(i))
	}
	return Sent(nil, nil, secrets)
}

// TestTheStepsOfASearchAreBounded by the length of the text, whatever it holds and whatever is looked for. Where they do not suffice, all is masked.
func TestTheStepsOfASearchAreBounded(t *testing.T) {
	const size = 64 << 10
	spent := 0
	for name, known := range hostile.credentials {
		w := newWanted(known)
		for _, unit := range hostile.units {
			text := strings.Repeat(unit, size/len(unit))
			left := budgetFor(len(text))
			all := *left
			found, torn := w.find(text, left)
			require.Less(t, int(all-*left), int(all)+all.percent(5), "%s in many %s", name, unit)
			if *left < 0 {
				spent++
				require.Equal(t, []span{{0, len(text)}}, found)
				require.Equal(t, len(text), torn)
				require.Equal(t, Mask, known.Text(text))
				require.Equal(t, Mask+"…", known.Excerpt(text+"…"))
			}
			cut := strings.ReplaceAll(string(known.CutOff([]byte(text), len(text))), Mask, "")
			require.True(t, strings.HasPrefix(text, cut) || known.Text(cut) == cut, "%s in many %s", name, unit)
		}
	}
	require.Positive(t, spent, "some of them are too much")
	left := budgetFor(size)
	newWanted(hostile.credentials["a token"]).find(strings.Repeat(`\`, size), left)
	require.Positive(t, *left, "backslashes that belong to no credential are nothing much")
}

func (b budget) percent(n int) int { return int(b) * n / 100 }

// TestOneBudgetForAHeader and for the texts of an error, however many there are.
func TestOneBudgetForAHeader(t *testing.T) {
	known := hostile.credentials["backslashes"]
	for _, size := range []int{500, maxHeaderValue + 500} {
		h, sum := http.Header{}, 0
		for sum < maxHeader-10000 || size > maxHeaderValue && sum < 2*maxHeader {
			h.Add("X-Note-"+strconv.Itoa(sum), strings.Repeat(`\`, size))
			sum += size + fieldSize
		}
		left := budgetFor(min(sum, maxHeader))
		all := *left
		shown := newWanted(known).header(h, sum, newWanted(nil), left)
		require.Less(t, int(all-*left), int(all)+all.percent(5))
		require.Negative(t, *left)
		masked := 0
		for _, values := range shown {
			if strings.TrimSuffix(values[0], "…") == Mask {
				masked++
			}
		}
		require.Greater(t, masked, len(shown)/3)
	}
	search := known.Search(1000)
	for range 10000 {
		search.Text(strings.Repeat(`\`, 100))
	}
	require.Less(t, int(-*search.left), 10000*100, "nothing is searched once the budget is spent")
	require.Equal(t, Mask, search.Text("plain"))
}

// TestLongOrdinaryTextsAreSearchedToTheirEnd, whatever the way in which they are escaped: the budget is for those that nobody would send.
func TestLongOrdinaryTextsAreSearchedToTheirEnd(t *testing.T) {
	const secret = "test-token/a+b=c&d"
	known := Sent(http.Header{"X-Token": {secret}, "Cookie": {"sid=" + strings.Repeat("0123456789abcdef", 100)}}, nil, []string{`\\host\share`, "a pass phrase of words"})
	for name, unit := range map[string]string{
		"JSON":  `{"id":4711,"name":"first \"application\"","path":"C:\\dir\\file","enabled":true,"created_at":1700000000,"tags":["a","b"]},` + "\n",
		"HTML":  `<p class="note">Access denied &amp; logged. See <a href="/help?x=1&y=2">help &#8212; é</a></p>` + "\n",
		"query": `a=1&name=first+application&path=%2Fone%2Ftwo&x=%7B%22a%22%3A1%7D&`,
		"trace": `at com.example.Gateway$Filter.handle(Gateway.java:471) ~[gateway-1.2.jar!/:1.2]` + "\n\t",
	} {
		check := func(text string, by ...string) {
			text = text[:min(len(text), 64<<10)]
			want := text + Mask + "."
			if shown := known.Text(text + secret + "."); shown != want {
				t.Fatalf("%s escaped by %q is shown as %.200s", name, by, shown)
			}
		}
		text := strings.Repeat(unit, 64<<10/len(unit))
		check(text)
		for _, first := range escapers {
			once := first.escape(text)
			check(once, first.name)
			check(first.escape(once[:16<<10]), first.name, "again")
			check(inJSON(once[:32<<10], true), first.name, "JSON")
		}
		check(inJSON(inJSON(inJSON(text[:1<<10], true), true), true), "JSON", "JSON", "JSON")
	}
}

// FuzzEscapes plants a secret of the fuzzer's choice, escaped in an order of its choice, in a text of its choice.
func FuzzEscapes(f *testing.F) {
	for i, secret := range oddSecrets {
		f.Add(secret, []byte{byte(i), byte(3 * i), byte(7 * i)}, `{"a":"`, `"}`, i)
	}
	f.Add("aaaaaaaa", []byte{5, 8}, `\\\`, "&#", 3)
	f.Fuzz(func(t *testing.T, secret string, order []byte, before, behind string, cut int) {
		// Browsers take some numbers of entities for other characters than those they are of.
		isOther := func(r rune) bool { return r == 0 || 0x80 <= r && r <= 0x9f }
		if len(secret) < minSecret || len(secret) > 60 || len(order) > 3 || !utf8.ValidString(secret) || strings.ContainsFunc(secret, isOther) {
			return
		}
		known, escaped := Sent(nil, nil, []string{secret}), secret
		for _, i := range order {
			escaped = escapers[int(i)%len(escapers)].escape(escaped)
		}
		checkCovered(t, known, before, escaped, behind)
		// A cut shows nothing that begins with the secret.
		n := len(before) + int(uint(cut)%uint(len(escaped)))
		found, torn := known.find((before + escaped)[:n])
		if len(found) > 0 && found[len(found)-1].end == n {
			return // what is there looks like the secret too
		}
		require.True(t, n == len(before) || torn <= len(before), "%q of %q is shown behind %q", escaped[:n-len(before)], escaped, before)
	})
}
