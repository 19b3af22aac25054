package wallarm

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// ScopeBuilder builds the conditions of a rule, see [Scope]. It is a value: each method returns another builder and leaves this one as it is. What
// cannot be built is remembered and comes out of [ScopeBuilder.Conditions] or [RulesService.Create], before anything is sent.
//
// Path, Prefix, Host and URL read patterns: a part that is * stands for anything and makes no condition, and a part in double braces,
// as in {{^v[0-9]$}}, is a regular expression (PIRE), one for the whole part. The other methods take values as they are, but for
// [ScopeBuilder.URI].
type ScopeBuilder struct {
	conditions Conditions
	errs       []error
	started    bool
	narrowed   bool
	hasPath    bool
}

// Scope begins a scope. Without any call on it, it is every request of every application. Calls that leave no condition behind, as
// Scope().Path("/**/*.*") does, are refused: nobody asks for a narrower scope and means every request.
//
//	wallarm.Scope().Host("shop.example.com").Prefix("/api/v1").Method("POST")
func Scope() ScopeBuilder { return ScopeBuilder{started: true} }

func (b ScopeBuilder) with(conditions ...Condition) ScopeBuilder {
	b.started, b.narrowed = true, true
	b.conditions = slices.Concat(b.conditions, conditions)
	return b
}

func (b ScopeBuilder) refuse(format string, args ...any) ScopeBuilder {
	b.started = true
	b.errs = append(slices.Clip(b.errs), invalid("scope", format, args...))
	return b
}

// Conditions returns the normalized conditions, or why there are none.
func (b ScopeBuilder) Conditions() (Conditions, error) {
	if len(b.errs) == 1 {
		return nil, b.errs[0]
	}
	if len(b.errs) > 1 {
		return nil, errors.Join(b.errs...)
	}
	conditions, err := b.conditions.prepared()
	if err != nil {
		return nil, err
	}
	if b.narrowed && len(conditions) == 0 {
		return nil, invalid("scope", "what it says is every request; use Scope() alone if that is meant")
	}
	return conditions, conditions.contradiction()
}

// contradiction finds two conditions that cannot both hold.
func (c Conditions) contradiction() error {
	for i, first := range c {
		for _, second := range c[i+1:] {
			if slices.Equal(first.Point, second.Point) && first.excludes(second) {
				return invalid("scope", "%s and %s exclude each other", first, second)
			}
		}
	}
	return nil
}

// excludes reports whether two conditions on the same point, which are not the same one, cannot both hold. What is absent meets no other
// condition; of expressions and of types that nobody has heard of that is not known.
func (c Condition) excludes(other Condition) bool {
	switch {
	case c.Type == ConditionAbsent || other.Type == ConditionAbsent:
		return true
	case c.Type == ConditionEqual && other.Type == ConditionEqual:
		return true
	case c.isText() && other.isText():
		return !strings.EqualFold(c.Value, other.Value)
	}
	return false
}

// isText reports whether the condition compares with one text.
func (c Condition) isText() bool { return c.Type == ConditionEqual || c.Type == ConditionIEqual }

// Path adds conditions for the paths that match pattern, which begins with a slash.
//
//	/api/login            this path
//	/reports/             this path with the slash at its end, which is another one than /reports
//	/tenants/*/report     * is any part, and right before the last one also none: see below
//	/img/*.png            any name with this extension; the extension begins at the first dot of the name
//	/img/*                any name without an extension, directly under /img, and /img/; see [ScopeBuilder.Prefix] for all that is below
//	/img/*.*              any name, directly under /img, and /img/
//	/shop/**/export       ** is any number of parts, before the last one
//	/shop/**/*.*          all that is below /shop, as Prefix("/shop")
//	/{{^v[0-9]$}}/users   a regular expression for a whole part
//
// A part that is * makes no condition: nothing says that the path has it. So a pattern also matches the shorter paths without the parts * right before
// the last one: /tenants/*/report matches /tenants/report, and /a/*/*/x matches /a/x and /a/b/x. With another part behind, as in /a/*/b/x, there is
// nothing shorter to match. As the last part, * may be empty: /img/* matches /img/. The Console makes the same conditions. Where this matters, write
// {{.+}} in place of *, as in /tenants/{{.+}}/report: a part that is compared must be there.
//
// * in a longer part or right before **, and ** in another place, cannot be expressed as conditions. Percent signs are taken as they are:
// whether the API decodes them is not known.
func (b ScopeBuilder) Path(pattern string) ScopeBuilder {
	switch {
	case pattern == "":
		return b.refuse("the path is empty; leave Path out for any path")
	case pattern[0] != '/':
		return b.refuse("the path %q does not begin with a slash", clip(pattern))
	case indexOutside(pattern, "?#") >= 0:
		return b.refuse("the path %q holds a query or fragment; see URL and Query", clip(pattern))
	}
	return b.path(pattern)
}

// Prefix adds conditions for all that is below a path, at any depth: "/my/api" makes the conditions path 0 = my and path 1 = api, which is what the
// vendor's documentation sends for all requests to /my/api/*. So "/my/api", "/my/api/", "/my/api/*", "/my/api/**" and "/my/api/**/*.*" are
// the same here. The path /my/api itself is not below: it takes a rule with [ScopeBuilder.Path]. Parts may be * or {{regular expressions}}, but
// the last one may not be *, as in "/my/*/*": no condition says that there is such a part, and without one it would be all of /my.
func (b ScopeBuilder) Prefix(path string) ScopeBuilder {
	switch {
	case path == "":
		return b.refuse("the prefix is empty; leave Prefix out for any path")
	case path[0] != '/':
		return b.refuse("the prefix %q does not begin with a slash", clip(path))
	case indexOutside(path, "?#") >= 0:
		return b.refuse("the prefix %q holds a query or fragment", clip(path))
	case strings.Trim(path, "/*.") == "":
		return b.refuse("the prefix %q is every path; leave Prefix out if that is meant", clip(path))
	}
	for _, tail := range []string{"/**/*.*", "/**", "/*", "/"} {
		if rest, ok := strings.CutSuffix(path, tail); ok {
			path = rest
			break
		}
	}
	return b.path(path + "/**/*.*")
}

func (b ScopeBuilder) path(pattern string) ScopeBuilder {
	if b.hasPath {
		return b.refuse("it has two paths, the second is %q", clip(pattern))
	}
	conditions, err := pathConditions(pattern)
	if err != nil {
		return b.refuse("the path %q: %v", clip(pattern), err)
	}
	b.hasPath = true
	return b.with(conditions...)
}

// Host adds a condition for the Host header, in any letter case: a host name, with the port if requests carry it. "*" is any host and adds no
// condition.
func (b ScopeBuilder) Host(host string) ScopeBuilder {
	p, err := parsePart(host)
	switch {
	case host == "":
		return b.refuse("the host is empty; leave Host out for any host")
	case err != nil:
		return b.refuse("the host %q: %v", clip(host), err)
	case p.any:
		return b.with()
	case p.kind == ConditionRegex:
		return b.with(Condition{Type: ConditionRegex, Point: Point{Header("HOST")}, Value: p.value})
	case strings.ContainsAny(host, "/?#@\\ \t"):
		return b.refuse("the host %q is no host name; see URL", clip(host))
	case !hasPort(host):
		return b.refuse("the host %q has something other than a port behind its colon", clip(host))
	}
	return b.with(Condition{Type: ConditionIEqual, Point: Point{Header("HOST")}, Value: host})
}

// hasPort reports whether a colon in a host, but for those of an address in brackets, is followed by a port.
func hasPort(host string) bool {
	name, port, found := strings.Cut(host[strings.LastIndexByte(host, ']')+1:], ":")
	return !found || isDigits(port) && (name != "" || strings.HasPrefix(host, "["))
}

// Method adds a condition for the HTTP method; letter case does not matter.
func (b ScopeBuilder) Method(method string) ScopeBuilder {
	if method == "" || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_") != "" {
		return b.refuse("%q is no HTTP method", clip(method))
	}
	return b.with(Condition{Type: ConditionEqual, Point: Point{NewStep("method")}, Value: strings.ToUpper(method)})
}

// Application adds a condition for the application that the request went to, -1 for the default one.
func (b ScopeBuilder) Application(id int64) ScopeBuilder {
	if id < -1 || id == 0 {
		return b.refuse("%d is no application id", id)
	}
	return b.with(Condition{Type: ConditionEqual, Point: Point{NewStep("instance")}, Value: strconv.FormatInt(id, 10)})
}

// Header adds a condition for the value of a request header. It is compared exactly, but for the Host header.
func (b ScopeBuilder) Header(name, value string) ScopeBuilder {
	return b.HeaderIs(name, ConditionEqual, value)
}

// HeaderIs adds a condition of any type for a request header. ConditionAbsent takes no value.
func (b ScopeBuilder) HeaderIs(name string, kind ConditionType, value string) ScopeBuilder {
	if !isHeaderName(name) {
		return b.refuse("%q is no header name", clip(name))
	}
	return b.keyed(Header(name), kind, value)
}

// isHeaderName reports whether a header can have the name: a token of HTTP.
func isHeaderName(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") == ""
}

// Query adds a condition for the value of a query parameter.
func (b ScopeBuilder) Query(name, value string) ScopeBuilder {
	return b.QueryIs(name, ConditionEqual, value)
}

// QueryIs adds a condition of any type for a query parameter. ConditionAbsent takes no value.
func (b ScopeBuilder) QueryIs(name string, kind ConditionType, value string) ScopeBuilder {
	if name == "" {
		return b.refuse("a query parameter has no name")
	}
	return b.keyed(QueryParam(name), kind, value)
}

func (b ScopeBuilder) keyed(point Step, kind ConditionType, value string) ScopeBuilder {
	switch {
	case kind == ConditionAbsent && value != "":
		return b.refuse("%s shall be absent and have the value %q", point, clip(value))
	case hasControl(value):
		return b.refuse("the value of %s holds a control character", point)
	}
	return b.with(Condition{Type: kind, Point: Point{point}, Value: value})
}

// Scheme adds a condition for the scheme, http or https.
func (b ScopeBuilder) Scheme(scheme string) ScopeBuilder {
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		return b.refuse("the scheme %q is neither http nor https", clip(scheme))
	}
	return b.with(Condition{Type: ConditionEqual, Point: Point{NewStep("scheme")}, Value: scheme})
}

// Proto adds a condition for the version of HTTP: 1.0, 1.1 or 2.0.
func (b ScopeBuilder) Proto(version string) ScopeBuilder {
	if major, minor, ok := strings.Cut(version, "."); !ok || !isDigits(major) || !isDigits(minor) {
		return b.refuse("%q is no version of HTTP such as 1.1", clip(version))
	}
	return b.with(Condition{Type: ConditionEqual, Point: Point{NewStep("proto")}, Value: version})
}

// URI adds a condition for path and query together, as one text, or as one {{regular expression}}. A path with * or an expression as one of its parts
// is refused, as no URI has them: see [ScopeBuilder.Path]. URI cannot stand beside conditions for the path or for query parameters.
func (b ScopeBuilder) URI(uri string) ScopeBuilder {
	if hasControl(uri) {
		return b.refuse("the URI %q holds a control character", clip(uri))
	}
	if inner, ok := wholeRegex(uri); ok {
		return b.with(Condition{Type: ConditionRegex, Point: Point{NewStep("uri")}, Value: inner})
	}
	if uri == "" || uri[0] != '/' {
		return b.refuse("the URI %q does not begin with a slash", clip(uri))
	}
	path, _, _ := strings.Cut(uri, "?")
	for part := range strings.SplitSeq(path, "/") {
		if part == "*" || part == "**" || strings.Contains(part, "{{") {
			return b.refuse("the URI %q is compared as one text, in which %q stands for itself; see Path", clip(uri), clip(part))
		}
	}
	return b.with(Condition{Type: ConditionEqual, Point: Point{NewStep("uri")}, Value: uri})
}

// Raw adds conditions as they are, for what no method builds. An empty list is refused: it would be every request without saying so.
func (b ScopeBuilder) Raw(conditions ...Condition) ScopeBuilder {
	if len(conditions) == 0 {
		return b.refuse("the list of raw conditions is empty; leave Raw out if none is meant")
	}
	return b.with(conditions...)
}

// URL adds the conditions of a text as the Console takes it: a method if wanted, a host or a URL, a path and a query.
//
//	POST example.org:8443/tenants/*/reports/*.csv?draft=no
//
// The path is read as [ScopeBuilder.Path] does, and a part that is * may be missing as there; without one any path is meant. The schemes http, https,
// ws and wss, in any letter case, and a fragment make no condition. Any other scheme is refused, and so are a scheme without a host and a text that
// begins with //, which could be a host or a path; see [ScopeBuilder.Path]. A parameter of the query must have exactly its value, or match it if it is a
// {{regular expression}}; percent signs are taken as they are.
func (b ScopeBuilder) URL(text string) ScopeBuilder {
	rest := strings.TrimSpace(text)
	if word, tail, found := strings.Cut(rest, " "); found && isLetters(word) {
		b, rest = b.Method(word), strings.TrimSpace(tail)
	}
	scheme, tail := cutScheme(rest)
	switch strings.ToLower(scheme) {
	case "", "http", "https", "ws", "wss":
		rest = tail
	default:
		return b.refuse("the URL %q has a scheme other than http, https, ws and wss", clip(text))
	}
	if again, _ := cutScheme(rest); again != "" || strings.HasPrefix(rest, "//") {
		return b.refuse("the URL %q has two slashes where a host or a path should begin", clip(text))
	}
	if i := indexOutside(rest, "#"); i >= 0 {
		rest = rest[:i]
	}
	query := ""
	if i := indexOutside(rest, "?"); i >= 0 {
		rest, query = rest[:i], strings.Trim(rest[i+1:], "&")
	}
	if rest == "" && query == "" {
		return b.refuse("the URL %q is empty; leave URL out for every request", clip(text))
	}
	host, path := rest, ""
	if i := indexOutside(rest, "/"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	switch {
	case host != "":
		b = b.Host(host)
	case scheme != "":
		return b.refuse("the URL %q has a scheme and no host", clip(text))
	}
	if path != "" {
		b = b.path(path)
	}
	return b.with().query(query)
}

func (b ScopeBuilder) query(query string) ScopeBuilder {
	for _, parameter := range splitOutside(query, '&') {
		if parameter == "" {
			continue
		}
		name, value, _ := strings.Cut(parameter, "=")
		switch inner, ok := wholeRegex(value); {
		case ok:
			b = b.QueryIs(name, ConditionRegex, inner)
		case inner != "":
			b = b.refuse("the value of %q: a {{regular expression}} covers all of it", clip(name))
		default:
			b = b.Query(name, value)
		}
	}
	return b
}

// pathConditions is the algorithm of docs/wire/rules.md, section 3.5, step 4.
func pathConditions(pattern string) (Conditions, error) {
	if pattern == "" || pattern == "/**/*.*" {
		return nil, nil
	}
	dirs := splitOutside(pattern[1:], '/')
	last := dirs[len(dirs)-1]
	dirs = dirs[:len(dirs)-1]
	globstar := len(dirs) > 0 && dirs[len(dirs)-1] == "**"
	if globstar {
		dirs = dirs[:len(dirs)-1]
	}
	if globstar && len(dirs) > 0 && dirs[len(dirs)-1] == "*" {
		// A part that is * makes no condition, and what follows ** has no number: nothing would say that the part is there.
		return nil, errors.New("* right before any number of parts cannot be expressed; leave the * out, or write {{a regular expression}}")
	}
	var conditions Conditions
	add := func(point Step, text string) error {
		p, err := parsePart(text)
		if err == nil && !p.any {
			conditions = append(conditions, Condition{Type: p.kind, Point: Point{point}, Value: p.value})
		}
		return err
	}
	for i, dir := range dirs {
		if err := add(PathSegment(i), dir); err != nil {
			return nil, err
		}
	}
	if !globstar {
		conditions = append(conditions, Condition{Type: ConditionAbsent, Point: Point{PathSegment(len(dirs))}})
	}
	name, extension, dot := last, "", indexOutside(last, ".")
	if dot >= 0 {
		name, extension = last[:dot], last[dot+1:]
	}
	if err := add(NewStep("action_name"), name); err != nil {
		return nil, err
	}
	if dot < 0 {
		return append(conditions, Condition{Type: ConditionAbsent, Point: Point{NewStep("action_ext")}}), nil
	}
	if err := add(NewStep("action_ext"), extension); err != nil {
		return nil, err
	}
	return conditions, nil
}

// part is one part of a pattern.
type part struct {
	any   bool
	kind  ConditionType
	value string
}

func parsePart(text string) (part, error) {
	inner, isRegex := wholeRegex(text)
	switch {
	case text == "*":
		return part{any: true}, nil
	case hasControl(text):
		return part{}, errors.New("it holds a control character")
	case isRegex && inner == "":
		return part{}, errors.New("it holds an empty regular expression")
	case isRegex:
		return part{kind: ConditionRegex, value: inner}, nil
	case strings.Contains(text, "{{"):
		return part{}, errors.New("a {{regular expression}} covers a whole part, and is closed")
	case text == "**":
		return part{}, errors.New("** can only stand before the last part, as in /shop/**/*.*; see Prefix")
	case strings.Contains(text, "*"):
		return part{}, errors.New("* covers a whole part; write a {{regular expression}} for less")
	}
	return part{kind: ConditionEqual, value: text}, nil
}

// wholeRegex returns what stands in the double braces around text. ok is false if there is more than one pair of them.
func wholeRegex(text string) (inner string, ok bool) {
	if !strings.HasPrefix(text, "{{") || regexEnd(text) != len(text) {
		return "", false
	}
	inner = text[2 : len(text)-2]
	// Two expressions in a row would be one that nobody wrote.
	_, second, closed := strings.Cut(inner, "}}")
	return inner, !closed || !strings.Contains(second, "{{")
}

// regexEnd returns the place behind the double braces that close those with which text begins, or -1. What follows them is a delimiter, and
// of a run of braces the last two close, since expressions hold braces too.
func regexEnd(text string) int {
	for at := 2; ; {
		i := strings.Index(text[at:], "}}")
		if i < 0 {
			return -1
		}
		at += i + 2
		for at < len(text) && text[at] == '}' {
			at++
		}
		if at == len(text) || strings.IndexByte("/.?#&", text[at]) >= 0 {
			return at
		}
	}
}

// indexOutside returns the first place of one of chars outside of double braces, or -1.
func indexOutside(text, chars string) int {
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "{{") {
			if end := regexEnd(text[i:]); end > 0 {
				i += end - 1
				continue
			}
		}
		if strings.IndexByte(chars, text[i]) >= 0 {
			return i
		}
	}
	return -1
}

func splitOutside(text string, separator byte) []string {
	var parts []string
	for {
		i := indexOutside(text, string(separator))
		if i < 0 {
			return append(parts, text)
		}
		parts, text = append(parts, text[:i]), text[i+1:]
	}
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// cutScheme takes the name off a text that begins with name://.
func cutScheme(text string) (scheme, rest string) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || scheme == "" || strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" {
		return "", text
	}
	return scheme, rest
}

func isLetters(text string) bool {
	return text != "" && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

func isDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// Pattern returns the text with which [ScopeBuilder.URL] makes these conditions. ok is false if there is none, as for conditions on the application
// or on headers, and for an empty list; text then holds what it can.
func (c Conditions) Pattern() (text string, ok bool) {
	text, _ = c.pattern()
	made, err := Scope().URL(text).Conditions()
	return text, err == nil && made.Equal(c)
}

// String returns the conditions for people: the pattern, and in brackets what no pattern expresses.
func (c Conditions) String() string {
	text, rest := c.pattern()
	if len(rest) == 0 {
		return text
	}
	words := make([]string, len(rest))
	for i, condition := range rest {
		words[i] = condition.String()
	}
	return text + " [" + strings.Join(words, ", ") + "]"
}

// pattern turns the algorithm of [ScopeBuilder.URL] round. rest are the conditions that have no place in a pattern.
func (c Conditions) pattern() (text string, rest Conditions) {
	var method, host, name, extension string
	var query []string
	name, extension = "*", ".*"
	dirs, limit := map[int]string{}, -1
	for _, condition := range c.Normalized() {
		parser, key := condition.root()
		word, ok := condition.patternPart()
		index, err := strconv.Atoi(key)
		switch {
		case len(condition.Point) != 1:
			rest = append(rest, condition)
		case parser == "action_ext" && condition.Type == ConditionAbsent:
			extension = ""
		case parser == "path" && condition.Type == ConditionAbsent && limit < 0 && err == nil:
			limit = index
		case !ok:
			rest = append(rest, condition)
		case parser == "method" && condition.Type == ConditionEqual:
			method = word + " "
		case condition.isHost():
			host = word
		case parser == "path" && err == nil && index >= 0 && index < maxPathIndex:
			dirs[index] = word
		case parser == "action_name":
			name = word
		case parser == "action_ext":
			extension = "." + word
		case parser == "get":
			query = append(query, key+"="+word)
		default:
			rest = append(rest, condition)
		}
	}
	var b strings.Builder
	if first, ok := dirs[0]; ok && first == "" && host == "" {
		host = "*" // A text must not begin with two slashes.
	}
	b.WriteString(method + host)
	depth := 0
	for index := range dirs {
		depth = max(depth, index+1)
	}
	if limit > depth && limit < maxPathIndex {
		depth = limit
	}
	for i := range depth {
		dir, ok := dirs[i]
		if !ok {
			dir = "*"
		}
		b.WriteString("/" + dir)
	}
	if limit < 0 {
		b.WriteString("/**")
	}
	b.WriteString("/" + name + extension)
	if len(query) > 0 {
		b.WriteString("?" + strings.Join(query, "&"))
	}
	return b.String(), rest
}

// maxPathIndex bounds the length of a pattern: an index in an answer may be anything.
const maxPathIndex = 1000

// patternPart returns the condition's value as a part of a pattern.
func (c Condition) patternPart() (string, bool) {
	switch {
	case c.Type == ConditionRegex:
		return "{{" + c.Value + "}}", true
	case c.Type == ConditionEqual, c.Type == ConditionIEqual && c.isHost():
		return c.Value, true
	}
	return "", false
}
