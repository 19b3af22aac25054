package wallarmtest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is one operation of the API.
//
// To add a resource, write one file with
//
//	func (c *Cloud) thingRoutes() []route
//	func (c *Cloud) initThings() // c.things = c.newTable("things", "clientid", 3001)
//
// and name both in NewCloud. A handler reads the call (q.params, q.pathInt,
// q.pathClient, q.clientParam), works on tables, and answers with one of the
// envelopes of reply.go or an error of errors.go. The engine has
// authenticated the caller, checked its role and taken the state lock, shared
// or exclusive by the writes member. Objects in tables are never changed in
// place: table.update stores an altered clone.
type route struct {
	ids     string // rows of docs/wire/endpoints.tsv, as "attacks:38,rules:13"
	name    string // "rules.create"
	method  string
	pattern string // "/v3/hint/{id}"
	writes  bool   // needs the state lock exclusively
	access  access
	handle  func(q *call) (reply, error)
}

// Route describes an operation that the fake serves.
type Route struct {
	// IDs are the rows of docs/wire/endpoints.tsv that the route implements.
	IDs []string
	// Op is the name of the operation, such as "rules.create".
	Op string
	// Method and Pattern are the verb and the path with {parameters}.
	Method, Pattern string
}

// Routes lists every operation that the fake serves, by pattern and method.
func (c *Cloud) Routes() []Route {
	out := make([]Route, 0, len(c.routes))
	for _, r := range c.routes {
		out = append(out, Route{
			IDs: strings.Split(r.ids, ","), Op: r.name, Method: r.method, Pattern: r.pattern,
		})
	}
	slices.SortFunc(out, func(a, b Route) int {
		return strings.Compare(a.Pattern+" "+a.Method, b.Pattern+" "+b.Method)
	})
	return out
}

// routeNode is a segment in the tree of paths. Literal segments win over
// parameters.
type routeNode struct {
	literal map[string]*routeNode
	param   *routeNode
	routes  map[string]*route // by method
}

func (n *routeNode) add(r *route) {
	at := n
	for segment := range strings.SplitSeq(strings.TrimPrefix(r.pattern, "/"), "/") {
		if strings.HasPrefix(segment, "{") {
			if at.param == nil {
				at.param = &routeNode{}
			}
			at = at.param
			continue
		}
		if at.literal == nil {
			at.literal = map[string]*routeNode{}
		}
		if at.literal[segment] == nil {
			at.literal[segment] = &routeNode{}
		}
		at = at.literal[segment]
	}
	if at.routes == nil {
		at.routes = map[string]*route{}
	}
	if at.routes[r.method] != nil {
		panic("wallarmtest: two routes for " + r.method + " " + r.pattern)
	}
	at.routes[r.method] = r
}

func (n *routeNode) find(method string, segments []string) *route {
	if len(segments) == 0 {
		return n.routes[method]
	}
	if next := n.literal[segments[0]]; next != nil {
		if r := next.find(method, segments[1:]); r != nil {
			return r
		}
	}
	if n.param != nil && segments[0] != "" {
		return n.param.find(method, segments[1:])
	}
	return nil
}

// match finds the route of a request and the values of its path parameters.
func (c *Cloud) match(r *http.Request) (*route, map[string]string) {
	escaped := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	found := c.tree.find(r.Method, escaped)
	if found == nil {
		return nil, nil
	}
	params := map[string]string{}
	i := 0
	for segment := range strings.SplitSeq(strings.TrimPrefix(found.pattern, "/"), "/") {
		if strings.HasPrefix(segment, "{") {
			value, err := url.PathUnescape(escaped[i])
			if err != nil {
				return nil, nil
			}
			params[strings.Trim(segment, "{}")] = value
		}
		i++
	}
	return found, params
}
