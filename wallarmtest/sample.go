package wallarmtest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// sampleKind is a kind of attack of the sample data.
type sampleKind struct {
	kind, target, method, path, parameter string
	point                                 []any
	values                                []string
	threat                                int64
	stamps                                []int64
	weight                                int
}

var sampleKinds = []sampleKind{
	{
		kind: "sqli", target: "database", method: "GET", path: "/search", parameter: "GET_q_value",
		point: []any{"get", "q"}, values: []string{"1' or '1'='1", "union select 1,2", "1; select pg_sleep(5)"},
		threat: 80, stamps: []int64{3301}, weight: 8,
	},
	{
		kind: "xss", target: "client", method: "POST", path: "/api/v1/comments",
		parameter: "POST_JSON_DOC_HASH_text_value", point: []any{"post", "json_doc", "hash", "text"},
		values: []string{"<svg onload=alert(1)>", "<script>alert(1)</script>"}, threat: 60, stamps: []int64{1204}, weight: 8,
	},
	{
		kind: "ptrav", target: "server", method: "GET", path: "/download", parameter: "GET_file_value",
		point: []any{"get", "file"}, values: []string{"../../etc/passwd", "..%2f..%2fboot.ini"},
		threat: 80, stamps: []int64{2107}, weight: 6,
	},
	{
		kind: "rce", target: "server", method: "POST", path: "/api/v1/import", parameter: "POST_FORM_URLENCODED_cmd_value",
		point: []any{"post", "form_urlencoded", "cmd"}, values: []string{";id", "$(sleep 5)"},
		threat: 90, stamps: []int64{4411}, weight: 3,
	},
	{
		kind: "scanner", target: "server", method: "GET", path: "[multiple]", parameter: "HEADER_USER-AGENT_value",
		point: []any{"header", "USER-AGENT"}, values: []string{"examplescan/1.0"}, threat: 40, stamps: []int64{880}, weight: 7,
	},
	{
		kind: "brute", target: "server", method: "POST", path: "/login", parameter: "POST_FORM_URLENCODED_password_value", point: []any{},
		values: []string{""}, threat: 60, weight: 4,
	},
	{
		kind: "ssrf", target: "server", method: "POST", path: "/api/v2/webhooks", parameter: "POST_JSON_DOC_HASH_url_value",
		point:  []any{"post", "json_doc", "hash", "url"},
		values: []string{"http://192.0.2.80/admin"}, threat: 80, stamps: []int64{5120}, weight: 2,
	},
	{
		kind: "nosqli", target: "database", method: "POST", path: "/api/v2/orders/17/items.json",
		parameter: "POST_JSON_DOC_HASH_id_ARRAY_0_value", point: []any{"post", "json_doc", "hash", "id", "array", int64(0)},
		values: []string{"{\"$ne\": null}"}, threat: 80, stamps: []int64{3377}, weight: 3,
	},
	{
		kind: "warn", target: "server", method: "GET", path: "/health", parameter: "GET_debug_value",
		point: []any{"get", "debug"}, values: []string{"1"}, threat: 10, stamps: []int64{11}, weight: 2,
	},
}

var (
	sampleHosts     = []string{"shop.example.com", "api.example.com", "www.example.net", "cms.example.org", "pay.example.net"}
	sampleCountries = []string{"NL", "US", "DE", "BR", "SG", "FR", "JP", ""}
	sampleDatacters = []string{"unknown", "unknown", "unknown", "aws", "hetzner", "ovh"}
	sampleStatuses  = []int{200, 200, 404, 500, 302}
)

const (
	sampleAttacks = 3000
	sampleDays    = 7
)

// seedSample fills the default client. All randomness is that of the seed.
func (c *Cloud) seedSample() {
	rng := rand.New(rand.NewPCG(c.events.key, 7))
	now := c.Now().Truncate(time.Second)
	attacks := make([]Attack, 0, sampleAttacks)
	for i := range sampleAttacks {
		age := time.Duration(rng.Int64N(int64(sampleDays * 24 * time.Hour)))
		attacks = append(attacks, sampleAttack(rng, i, now.Add(-age), now))
	}
	c.SeedAttacks(attacks...)
	c.seedSampleIssues(now)
	for _, body := range sampleRules {
		if _, err := c.AddRule(body); err != nil {
			panic(err) // the sample is part of the package
		}
	}
	c.seedInfrastructure()
	c.seedSampleAccount(now)
	c.seedSampleAPIs(now)
}

// sampleAttack makes one attack whose hits begin at a time and end by now.
func sampleAttack(rng *rand.Rand, number int, start, now time.Time) Attack {
	kind := pickKind(rng)
	blocked := rng.IntN(10) < 6
	a := Attack{
		Type: kind.kind, Domain: sampleHosts[rng.IntN(len(sampleHosts))], Path: kind.path, Method: kind.method,
		Parameter: kind.parameter, Point: kind.point, Target: kind.target, Threat: kind.threat, Time: start,
		PoolID: []int64{-1, -1, 1, 12}[rng.IntN(4)],
	}
	switch {
	case !blocked && rng.IntN(12) == 0:
		a.VulnID = int64(90001 + number%40)
	case kind.kind != "warn" && rng.IntN(25) == 0:
		a.FalsePositive = true
	}
	country := sampleCountries[rng.IntN(len(sampleCountries))]
	datacenter := sampleDatacters[rng.IntN(len(sampleDatacters))]
	for n := range 1 + rng.IntN(6) {
		h := Hit{
			Time: start.Add(time.Duration(n) * time.Duration(rng.IntN(300)) * time.Second), IP: sampleIP(rng),
			Country: country, Datacenter: datacenter, Tor: rng.IntN(40) == 0,
			Value: kind.values[rng.IntN(len(kind.values))], Size: 200 + rng.IntN(4000),
			ResponseTime: time.Duration(5+rng.IntN(400)) * time.Millisecond, Port: 40000 + rng.IntN(20000),
			Stamps: kind.stamps, FalsePositive: a.FalsePositive, BlockStatus: "monitored",
			StatusCode: sampleStatuses[rng.IntN(len(sampleStatuses))],
		}
		if blocked {
			h.BlockStatus, h.StatusCode = "blocked", 403
		}
		if h.Time.After(now) {
			h.Time = now
		}
		a.Hits = append(a.Hits, h)
	}
	return a
}

func pickKind(rng *rand.Rand) sampleKind {
	total := 0
	for _, k := range sampleKinds {
		total += k.weight
	}
	n := rng.IntN(total)
	for _, k := range sampleKinds {
		if n -= k.weight; n < 0 {
			return k
		}
	}
	return sampleKinds[0]
}

// sampleIP picks from the ranges that are reserved for documentation.
func sampleIP(rng *rand.Rand) string {
	switch n := rng.IntN(20); {
	case n == 0:
		return fmt.Sprintf("2001:db8::%x", 1+rng.IntN(200))
	case n < 8:
		return fmt.Sprintf("192.0.2.%d", 1+rng.IntN(254))
	case n < 14:
		return fmt.Sprintf("198.51.100.%d", 1+rng.IntN(254))
	}
	return fmt.Sprintf("203.0.113.%d", 1+rng.IntN(254))
}

var sampleRules = []string{
	`{"type":"wallarm_mode","mode":"default","action":[],"system":true}`,
	`{"type":"wallarm_mode","mode":"monitoring","action":[{"type":"equal","point":["instance"],"value":"12"}]}`,
	`{"type":"vpatch","attack_type":"sqli","point":[["get","q"]],"comment":"Close the search hole",
	  "action":[{"type":"iequal","point":["header","HOST"],"value":"shop.example.com"},
	            {"type":"equal","point":["action_name"],"value":"search"}]}`,
	`{"type":"vpatch","attack_type":"any","point":[["header","HOST"]],"title":"Old admin area",
	  "action":[{"type":"equal","point":["path",0],"value":"admin"}]}`,
	`{"type":"disable_attack_type","attack_type":"xss","point":[["post"],["json_doc"],["hash","text"]],
	  "action":[{"type":"iequal","point":["header","HOST"],"value":"cms.example.org"}]}`,
	`{"type":"sensitive_data","point":[["header","AUTHORIZATION"]],"action":[]}`,
	`{"type":"regex","attack_type":"scanner","regex":"^examplescan/[0-9.]+","point":[["header","USER-AGENT"]],"action":[]}`,
	`{"type":"rate_limit","rate":20,"burst":5,"rsp_status":429,"time_unit":"rpm","point":[["remote_addr"]],
	  "action":[{"type":"equal","point":["action_name"],"value":"login"}]}`,
	`{"type":"brute","mode":"block","threshold":{"count":15,"period":60},"reaction":{"block_by_ip":3600},
	  "enumerated_parameters":{"mode":"regexp","name_regexps":["^pass(wd|word)?$"],"value_regexps":[""],
	  "additional_parameters":false,"plain_parameters":true},
	  "action":[{"type":"equal","point":["action_name"],"value":"login"}]}`,
	`{"type":"brute_counter","action":[{"type":"equal","point":["action_name"],"value":"login"}]}`,
}
