package wallarmtest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (c *Cloud) searchRoutes() []route {
	return []route{{
		ids: "attacks:54,accounts:BG-16", name: "stats.search", method: http.MethodPost, pattern: "/v1/search",
		handle: c.search,
	}}
}

// search turns a phrase into filters. The fake knows the words of the common
// phrases: what to look for, types of attacks, "last 24 hours" and its like,
// today, yesterday, and name:value with an optional "!". It leaves out words
// that it does not know.
func (c *Cloud) search(q *call) (reply, error) {
	var errs fieldErrors
	query, isString := q.params.get("query").(string)
	switch {
	case q.params.get("query") == nil:
		errs.add("query", "required")
	case !isString || strings.TrimSpace(query) == "":
		errs.add("query", "invalid", q.params.get("query"))
	}
	if v := q.params.get("time_zone"); v != nil {
		if _, isString := v.(string); !isString {
			errs.add("time_zone", "must be string", v)
		}
	}
	hits := q.oneOf(&errs, "hits_type", "all", "only-true", "only-false")
	if err := errs.err(); err != nil {
		return reply{}, err
	}
	if err := q.checkOwner(q.params, "clientid", false); err != nil {
		return reply{}, err
	}
	p := readPhrase(query, q.now)
	body := obj("attacks", nil, "incidents", nil, "vulns", nil, "testruns", nil)
	if p.vulns {
		body.set("vulns", p.vulnFilter())
	}
	if p.events || !p.vulns {
		conditions := p.eventFilter(hits)
		body.set("attacks", obj("vulnid", nil).merge(conditions))
		body.set("incidents", obj("!vulnid", nil).merge(conditions))
	}
	return ok(body), nil
}

// phrase is what a search phrase asks for.
type phrase struct {
	events, vulns bool
	types         []any
	time          []any
	fields        *object
}

// searchFields leads from the names of a phrase to those of the filters.
var searchFields = map[string]string{
	"ip": "ip", "domain": "domain", "d": "domain", "path": "path", "parameter": "parameter", "method": "method",
	"statuscode": "statuscode", "application": "poolid", "pool": "poolid", "request_id": "request_id", "country": "remote_country",
}

var searchUnits = map[string]time.Duration{
	"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour,
}

func readPhrase(query string, now time.Time) phrase {
	p := phrase{fields: obj()}
	words := strings.Fields(strings.ToLower(query))
	for i := 0; i < len(words); i++ {
		word := words[i]
		name, value, isField := strings.Cut(strings.TrimPrefix(word, "!"), ":")
		switch {
		case word == "attacks" || word == "attack" || word == "incidents" || word == "incident":
			p.events = true
		case word == "vulns" || word == "vuln" || word == "vulnerabilities" || word == "vulnerability":
			p.vulns = true
		case word == "today":
			p.time = []any{now.Truncate(24 * time.Hour).Unix(), now.Unix()}
		case word == "yesterday":
			today := now.Truncate(24 * time.Hour)
			p.time = []any{today.Add(-24 * time.Hour).Unix(), today.Unix()}
		case word == "last" && i+1 < len(words):
			i += p.readLast(words[i+1:], now)
		case isField && searchFields[name] != "":
			p.addField(strings.HasPrefix(word, "!"), searchFields[name], value)
		case slices.Contains(searchTypes, word):
			p.types = append(p.types, word)
		}
	}
	return p
}

// readLast reads what follows "last": a unit, or a number of units. It
// returns the number of words that it took.
func (p *phrase) readLast(words []string, now time.Time) int {
	n, err := strconv.Atoi(words[0])
	taken := 1
	if err != nil {
		n = 1
	} else if len(words) > 1 {
		taken = 2
	}
	unit := searchUnits[strings.TrimSuffix(words[taken-1], "s")]
	if unit == 0 || n < 1 {
		return 0
	}
	p.time = []any{now.Add(-time.Duration(n) * unit).Unix(), now.Unix()}
	return taken
}

func (p *phrase) addField(negate bool, name, text string) {
	var v any = text
	if name == "statuscode" || name == "poolid" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return
		}
		v = n
	}
	if negate {
		name = "!" + name
	}
	p.fields.set(name, append(p.fields.array(name), v))
}

func (p *phrase) eventFilter(hits string) *object {
	f := obj()
	if len(p.types) > 0 {
		f.set("type", p.types)
	}
	if p.time != nil {
		f.set("time", []any{p.time})
	}
	f.merge(p.fields)
	switch hits {
	case "only-false":
		f.set("state", vulnFalse)
	case "all":
	default:
		f.set("!state", vulnFalse)
	}
	return f
}

func (p *phrase) vulnFilter() *object {
	f := obj()
	if len(p.types) > 0 {
		f.set("type", p.types[0])
	}
	if p.time != nil {
		f.set("time", []any{p.time})
	}
	for _, name := range []string{"domain", "path", "parameter", "method"} {
		if v, sent := p.fields.lookup(name); sent {
			f.set(name, v)
		}
	}
	return f
}

// searchTypes are the types that a phrase may name.
var searchTypes = strings.Fields("sqli nosqli rce ssi ssti ldapi mail_injection ssrf ptrav xxe xss redir crlf scanner " +
	"mass_assignment invalid_xml data_bomb infoleak apileak brute dirbust bola enum credential_stuffing rate_limit " +
	"session_anomaly multiple_payloads api_abuse account_takeover security_crawlers scraping bot graphql_attacks " +
	"api_specification overlimit_res vpatch blocked_source warn")
