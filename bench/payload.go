package main

import (
	"bytes"
	"fmt"
	"strings"
)

// userAnswer is the answer to the small call, 1.3 KB as in life.
const userAnswer = `{"status":200,"body":{"id":70112,"uuid":"0b9c1f6e-1111-4222-8333-4445556667aa","client_id":5150,` +
	`"client_name":"Example Shop","permissions":["admin"],"actual_permissions":["view_denylist","manage_denylist"],"mfa_enabled":true,` +
	`"create_by":4100200300,"create_at":"2025-01-15T08:00:00Z","create_from":"192.0.2.10","enabled":true,"validated":true,` +
	`"username":"ops@example.com","realname":"Ops Team","email":"ops@example.com","phone":"","password_changed":1736928000,` +
	`"login_history":[{"time":1755700000,"ip":"192.0.2.11"},{"time":1755690000,"ip":"192.0.2.12"}],"timezone":"UTC",` +
	`"results_per_page":25,"default_pool":"main","default_poolid":null,"last_read_news_id":3,` +
	`"search_templates":{"mine":"attacks today"},"notifications":{"report_daily":{"email":false,"sms":false},` +
	`"report_weekly":{"email":true,"sms":false},"system":{"email":true,"sms":false}},"components":["waf"],"language":"en",` +
	`"last_login_time":1755700000,"date_format":"ddmmyy","time_format":"24h","job_title":null,` +
	`"available_authentications":["default"],"frontend_url":"https://us1.my.wallarm.com"}}`

// digits is the width of the number that makes an item unlike all others.
const digits = 8

// item is an item of a list, with the places where its number stands.
type item struct {
	text   []byte
	places []int
}

// stamp appends the item with its number to a page.
func (it *item) stamp(page []byte, number int) []byte {
	start := len(page)
	page = append(page, it.text...)
	for _, place := range it.places {
		n := number
		for i := start + place + digits - 1; i >= start+place; i-- {
			page[i] = byte('0' + n%10)
			n /= 10
		}
	}
	return page
}

// newItem finds the places of the number in a text: its runs of number signs.
func newItem(text string) item {
	it := item{text: []byte(text)}
	hole := bytes.Repeat([]byte("#"), digits)
	for from := 0; ; from += digits {
		at := bytes.Index(it.text[from:], hole)
		if at < 0 {
			return it
		}
		from += at
		it.places = append(it.places, from)
	}
}

// variety is how many different items there are, but for their numbers.
const variety = 50

// hitItems are hits of 36 members, each with unknown ones more than the vendor's client and this SDK have fields for.
func hitItems(unknown int) []item {
	items := make([]item, variety)
	for i := range items {
		var b strings.Builder
		fmt.Fprintf(&b, `{"id":["hits_production_4711_202608_v_1","Kf93-########"],"type":"sqli","ip":"198.51.100.%d","size":512,`+
			`"statuscode":403,"time":%d,"value":"%s","impression":null,"stamps":[3301,%d],"stamps_hash":-884210037,"regex":[],`+
			`"response_time":41,"remote_country":"NL","point":["post","json_doc","array",%d,"hash","q"],"remote_port":50122,"poolid":-1,`+
			`"ip_blocked":false,"attackid":["attacks_production_4711_202608_v_1","Zz%d"],"block_status":"blocked",`+
			`"request_id":"5f0c9d7e2b1a4c3d8e6f7081########","datacenter":"unknown","proxy_type":null,"tor":"none","state":null,`+
			`"known_attack":["CVE-2026-0001"],"known_false":null,"protocol":"rest","auth_protocol":["jwt"],"endpoint_id":null,`+
			`"path":"/v1/login","domain":"shop.example.net","node_uuid":["0b8f2d1e-1111-2222-3333-444455556666"],`+
			`"compromised_logins":[],"ebpf":false,"aasm_event":false,"api_spec_violation":null,"api_spec_id":null`,
			i, 1785802011+i, strings.Repeat("1' or '1'='1 ", 15), i, i%7, i)
		for u := range unknown {
			fmt.Fprintf(&b, `,"later_%d":{"name":"value","n":%d}`, u, i)
		}
		b.WriteByte('}')
		items[i] = newItem(b.String())
	}
	return items
}

// attackItems are attacks as the cursor list has them.
func attackItems() []item {
	items := make([]item, variety)
	for i := range items {
		items[i] = newItem(fmt.Sprintf(`{"id":["attacks_production_4711_202608_v_1","Zz########"],`+
			`"attackid":"attacks_production_4711_202608_v_1:Zz########","clientid":4711,"domain":"shop.example.net","poolid":3,`+
			`"method":"POST","parameter":"POST_JSON_DOC_HASH_q_value","path":"/v1/login","type":"sqli","first_time":1785802011,`+
			`"last_time":1785802930,"hits":%d,"hits_count_by_filter":3,"ip_count":2,"ip_count_by_filter":2,"statuscodes":[403,200],`+
			`"threat":90,"vulnid":null,"target":"database","vectors_count":2,"block_status":"blocked",`+
			`"ip_top":[{"ip":"198.51.100.%d","count":2,"country":"NL"},{"ip":"203.0.113.%d","count":1,"country":"DE"}],`+
			`"country_top":[{"country":"NL","count":2},{"country":"DE","count":1}],"recheck_status":"off","experimental":null,"state":null}`,
			i+1, i, i))
	}
	return items
}

// appendPage appends a page of the items from first up to end.
func appendPage(page []byte, items []item, first, end int, cursor string) []byte {
	page = append(page, `{"status":200,"body":[`...)
	for number := first; number < end; number++ {
		if number > first {
			page = append(page, ',')
		}
		page = items[number%variety].stamp(page, number)
	}
	page = append(page, ']')
	if cursor != "" {
		page = append(page, `,"cursor":"`+cursor+`"`...)
	}
	return append(page, '}')
}
