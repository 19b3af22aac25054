package wallarm

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	ipListsListRules     = operation{"iplists.list_rules", "GET", "/v4/ip_rules", read, inObjects}
	ipListsCountRules    = operation{"iplists.count_rules", "GET", "/v4/ip_rules/counts", read, inBody}
	ipListsCreateRule    = operation{"iplists.create_rule", "POST", "/v4/ip_rules", once, inBody}
	ipListsUpdateRule    = operation{"iplists.update_rule", "PUT", "/v4/ip_rules/{id}", idempotent, inBody}
	ipListsDeleteRule    = operation{"iplists.delete_rule", "DELETE", "/v4/ip_rules/{id}", idempotent, noAnswer}
	ipListsDeleteRules   = operation{"iplists.delete_rules", "DELETE", "/v4/ip_rules", idempotent, noAnswer}
	ipListsCreateRules   = operation{"iplists.create_rules", "POST", "/v4/ip_rules/bulk", once, noAnswer}
	ipListsCreateRulesV5 = operation{"iplists.create_rules_v5", "POST", "/v5/ip_rules", once, inObjects}
)

// IPRule is an entry of a list as the documented generation of routes has it. Its id means nothing to the methods without Rule in their
// names.
type IPRule struct {
	ID       int64  `json:"id"`
	ClientID int64  `json:"clientid"`
	List     IPList `json:"list"`
	Kind     IPKind `json:"rule_type"`
	// Subnet is the value of an [IPSubnet]; Values are those of the other kinds.
	Subnet string   `json:"subnet,omitempty"`
	Values []string `json:"source_values,omitzero"`
	// EventType and Author tell what made the entry.
	EventType IPEventType `json:"event_type,omitempty"`
	Author    IPAuthor    `json:"author,omitempty"`
	// AuthorID and AuthorName are the user who made the entry, AuthorTriggerID is the trigger that did.
	AuthorID        int64  `json:"author_user_id,omitzero"`
	AuthorName      string `json:"author_user_name,omitempty"`
	AuthorTriggerID int64  `json:"author_trigger_id,omitzero"`
	// Country, Datacenter and ProxyType are what is known about a subnet. They are not the values of the entry.
	Country    string `json:"country,omitempty"`
	Datacenter string `json:"datacenter,omitempty"`
	ProxyType  string `json:"proxy_type,omitempty"`
	// ApplicationIDs are the applications that the entry is for; [AllApplications] alone is all of them. The wire calls them pools.
	ApplicationIDs []int64   `json:"pools"`
	CreatedAt      Timestamp `json:"created_at"`
	ExpiresAt      Timestamp `json:"expired_at"`
	Reason         string    `json:"reason,omitempty"`
	// DeletedBy, DeletedByID and DeletedByName tell who removed the entry.
	DeletedBy     string `json:"deleted_by,omitempty"`
	DeletedByID   int64  `json:"deleted_by_user_id,omitzero"`
	DeletedByName string `json:"deleted_by_user_name,omitempty"`
	Extra         Extra  `json:",embed"`
}

// IsForever reports whether the entry never expires, as far as anyone will live to see.
func (r *IPRule) IsForever() bool { return isForever(r.ExpiresAt.Time) }

// IPValues returns the values in the one form that they can be compared in.
func (r *IPRule) IPValues() []IPValue {
	e := IPEntry{Kind: r.Kind, Values: r.Values}
	if r.Kind == IPSubnet && r.Subnet != "" {
		e.Values = []string{r.Subnet}
	}
	return e.IPValues()
}

// MarshalJSON writes the entry: the members with a value, and all that no field is for.
func (r IPRule) MarshalJSON() ([]byte, error) {
	type plain IPRule
	r.List, r.Kind = IPList(ipRuleWords.wire(string(r.List))), IPKind(ipRuleWords.wire(string(r.Kind)))
	return wire.MarshalEcho(plain(r))
}

// UnmarshalJSON reads an entry and keeps unknown members.
func (r *IPRule) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, r) }

// UnmarshalJSONFrom reads an entry and keeps unknown members.
func (r *IPRule) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain IPRule
	if err := wire.UnmarshalDecode(d, (*plain)(r)); err != nil {
		return err
	}
	r.List, r.Kind = IPList(ipRuleWords.product(string(r.List))), IPKind(ipRuleWords.product(string(r.Kind)))
	return nil
}

// IPAuthor says who puts something into a list. New values may appear.
type IPAuthor string

const (
	// IPAuthorClient is a user.
	IPAuthorClient IPAuthor = "client"
	// IPAuthorAutomation is a trigger. What it has put in comes back after it was removed by hand, when there is new malicious traffic and half
	// of the former period has passed.
	IPAuthorAutomation IPAuthor = "automation"
	// IPAuthorAntibot is API abuse prevention. What it has put in may come back at once.
	IPAuthorAntibot IPAuthor = "antibot"
)

// IPEventType says for what something was put into a list. New values may appear.
type IPEventType string

const (
	IPEventManual         IPEventType = "manual"
	IPEventBruteForce     IPEventType = "brute"
	IPEventBOLA           IPEventType = "bola"
	IPEventForcedBrowsing IPEventType = "dirbust"
	IPEventVectors        IPEventType = "vectors"
	IPEventAPIAbuse       IPEventType = "api_abuse"
)

// IPRuleFilter selects entries. A zero field is no condition. The vendor documents List alone; the others come from its API Console.
type IPRuleFilter struct {
	// List is one list, or all of them.
	List IPList
	// IDs are entries, NotIDs leave entries out.
	IDs, NotIDs []int64
	// ApplicationID is an application; 0 finds entries for all of them. Null is refused.
	ApplicationID Opt[int64]
	Author        IPAuthor
	Kinds         []IPKind
	EventTypes    []IPEventType
	// Country, Datacenter and ProxyType are those of the subnet.
	Country, Datacenter, ProxyType string
	// Reason is a text in the reason, Query a text in the reason or address.
	Reason, Query string
	// UniqueSubnets counts each subnet once.
	UniqueSubnets      bool
	TriggeredDetectors string
	// Time is one span of time.
	Time TimeRange
}

// values checks the filter and returns it as a query, which lacks the client.
func (f IPRuleFilter) values() (url.Values, error) {
	if err := validateQueryFilter(f); err != nil {
		return nil, err
	}
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set("filter["+name+"]", value)
		}
	}
	set("list", ipRuleWords.wire(string(f.List)))
	set("author", string(f.Author))
	set("country", f.Country)
	set("datacenter", f.Datacenter)
	set("proxy_type", f.ProxyType)
	set("reason", f.Reason)
	set("query", f.Query)
	set("triggered_detectors", f.TriggeredDetectors)
	if id, ok := f.ApplicationID.Get(); ok {
		set("poolid", strconv.FormatInt(id, 10))
	}
	if f.UniqueSubnets {
		set("unique_subnet", "true")
	}
	for _, kind := range f.Kinds {
		v.Add("filter[rule_type][]", ipRuleWords.wire(string(kind)))
	}
	for _, event := range f.EventTypes {
		v.Add("filter[event_type][]", string(event))
	}
	for name, ids := range map[string][]int64{"filter[id][]": f.IDs, "filter[!id][]": f.NotIDs} {
		for _, id := range ids {
			if id <= 0 {
				return nil, invalid(name, "%d is not positive", id)
			}
			v.Add(name, strconv.FormatInt(id, 10))
		}
	}
	spans := f.Time.spans()
	if len(spans) > 1 {
		return nil, invalid("filter.time", "the route takes one span")
	}
	for _, span := range spans {
		set("time_start", unixText(span.From))
		set("time_end", unixText(span.To))
	}
	return v, f.Time.validate("filter.time")
}

// unixText returns unix seconds, or nothing for no time.
func unixText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.Unix(), 10)
}

// ruleQuery is a filter and its client as a query.
func (s *IPListsService) ruleQuery(ctx context.Context, filter IPRuleFilter, opts []CallOption) (url.Values, error) {
	q, err := filter.values()
	if err != nil {
		return nil, err
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	q.Set("filter[clientid]", strconv.FormatInt(id, 10))
	return q, nil
}

func (s *IPListsService) listRules(filter IPRuleFilter, opts []CallOption) *lister[IPRule] {
	return &lister[IPRule]{
		client: s.client, op: ipListsListRules, paging: byOffset, usual: 100, most: 300, opts: opts,
		id: func(r *IPRule) string { return idText(r.ID) },
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "%s has none", ipListsListRules.name)
			}
			q, err := s.ruleQuery(ctx, filter, opts)
			if err != nil {
				return args{}, err
			}
			q.Set("limit", strconv.Itoa(page.Limit))
			q.Set("offset", strconv.Itoa(page.Offset))
			return args{query: q}, nil
		},
	}
}

// ListRules returns one page of the entries that match filter, in the order of the API.
//
// page.Limit is 100 by default and at most 300; the list takes no order.
//
// GET /v4/ip_rules. Replay class: read.
func (s *IPListsService) ListRules(ctx context.Context, filter IPRuleFilter, page PageOptions, opts ...CallOption) (*Page[IPRule], error) {
	return s.listRules(filter, opts).page(ctx, page)
}

// AllRules iterates over the entries that match filter.
//
// GET /v4/ip_rules. Replay class: read.
func (s *IPListsService) AllRules(ctx context.Context, filter IPRuleFilter, opts ...CallOption) iter.Seq2[IPRule, error] {
	return s.listRules(filter, opts).all(ctx, PageOptions{})
}

// PagesRules is AllRules by pages, from start on.
func (s *IPListsService) PagesRules(ctx context.Context, filter IPRuleFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[IPRule], error] {
	return s.listRules(filter, opts).pages(ctx, start)
}

// IPRuleCounts are the numbers of entries by list.
type IPRuleCounts struct {
	Allow              int64 `json:"white"`
	Deny               int64 `json:"black"`
	Gray               int64 `json:"gray"`
	APIAbuseExceptions int64 `json:"api_abuse_exceptions"`
	All                int64 `json:"all"`
	Extra              Extra `json:",embed"`
}

// MarshalJSON writes the counts: the members with a value, and all that no field is for.
func (c IPRuleCounts) MarshalJSON() ([]byte, error) {
	type plain IPRuleCounts
	return wire.MarshalEcho(plain(c))
}

// UnmarshalJSON reads counts and keeps unknown members.
func (c *IPRuleCounts) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, c) }

// UnmarshalJSONFrom reads counts and keeps unknown members.
func (c *IPRuleCounts) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain IPRuleCounts
	return wire.UnmarshalDecode(d, (*plain)(c))
}

// CountRules counts the entries that match filter, by list.
//
// GET /v4/ip_rules/counts, known from the vendor's API Console only. Replay class: read.
func (s *IPListsService) CountRules(ctx context.Context, filter IPRuleFilter, opts ...CallOption) (*IPRuleCounts, error) {
	q, err := s.ruleQuery(ctx, filter, opts)
	if err != nil {
		return nil, err
	}
	return get[IPRuleCounts](ctx, s.client, ipListsCountRules, args{query: q}, opts)
}

// NewIPRule is an entry to create by the documented generation of routes.
type NewIPRule struct {
	List IPList
	// Values are one address or subnet, or any number of values of one other kind.
	Values []IPValue
	IPTerms
	// EventType is [IPEventManual] by default. Only [IPListsService.CreateRules] takes it.
	EventType IPEventType
	// TriggerID is the trigger that makes the entry, if any. Only [IPListsService.CreateRules] takes it.
	TriggerID int64
}

// ipRuleBody is a new entry as it travels. The outer members differ from route to route.
type ipRuleBody struct {
	ClientID  int64       `json:"clientid,omitzero"`
	EventType IPEventType `json:"event_type,omitzero"`
	List      string      `json:"list,omitzero"`
	Kind      string      `json:"rule_type"`
	Subnet    string      `json:"subnet,omitzero"`
	Values    []string    `json:"source_values,omitzero"`
	Pools     []int64     `json:"pools"`
	ExpiredAt int64       `json:"expired_at"`
	Reason    string      `json:"reason,omitzero"`
	TriggerID int64       `json:"trigger_id,omitzero"`
}

// body checks an entry and returns it as it travels.
func (r NewIPRule) body(now time.Time) (ipRuleBody, error) {
	var b ipRuleBody
	if err := checkIPList(r.List, Denylist, Allowlist, Graylist, APIAbuseExceptions); err != nil {
		return b, err
	}
	values, err := normalIPValues(r.Values)
	switch {
	case err != nil:
		return b, err
	case len(values) == 0:
		return b, invalid("values", "there are none")
	case values[0].Kind == IPSubnet && len(values) > 1:
		return b, invalid("values", "the route takes one address or subnet at a time, not %d: use Add", len(values))
	case r.TriggerID < 0:
		return b, invalid("trigger id", "%d is negative", r.TriggerID)
	}
	terms, err := r.prepared(now)
	if err != nil {
		return b, err
	}
	b = ipRuleBody{
		List: ipRuleWords.wire(string(r.List)), Kind: ipRuleWords.wire(string(values[0].Kind)), Pools: terms.ApplicationIDs,
		ExpiredAt: terms.ExpiresAt.Unix(), Reason: terms.Reason, EventType: r.EventType, TriggerID: r.TriggerID,
	}
	for _, v := range values {
		if v.Kind != values[0].Kind {
			return b, invalid("values", "an entry holds one kind, not both %s and %s", values[0].Kind, v.Kind)
		}
		b.Values = append(b.Values, v.Value)
	}
	if values[0].Kind == IPSubnet {
		b.Subnet, b.Values = values[0].Value, nil
	}
	return b, nil
}

func (b ipRuleBody) isBulkOnly() error {
	if b.EventType != "" || b.TriggerID != 0 {
		return invalid("event type", "only CreateRules takes it, and a trigger id")
	}
	return nil
}

// CreateRule adds one entry to a list. With force it overwrites what is there, and may be repeated; without, what happens to a second
// entry of the same value is not documented.
//
// POST /v4/ip_rules. Replay class: once, with force idempotent.
func (s *IPListsService) CreateRule(ctx context.Context, rule NewIPRule, force bool, opts ...CallOption) (*IPRule, error) {
	entry, err := rule.body(time.Now())
	if err == nil {
		err = entry.isBulkOnly()
	}
	if err != nil {
		return nil, err
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	op := ipListsCreateRule
	if force {
		op.replay = idempotent
	}
	body := struct {
		ClientID int64      `json:"clientid"`
		Force    bool       `json:"force"`
		Rule     ipRuleBody `json:"ip_rule"`
	}{id, force, entry}
	return get[IPRule](ctx, s.client, op, args{body: body}, opts)
}

// CreateRules adds entries to any lists in one call. With ignoreExisting, those that are there already are passed over, and the call may be
// repeated. The answer holds no entries: list them to learn their ids.
//
// POST /v4/ip_rules/bulk, known from the vendor's API Console only. Replay class: once, with ignoreExisting idempotent.
func (s *IPListsService) CreateRules(ctx context.Context, rules []NewIPRule, ignoreExisting bool, opts ...CallOption) error {
	if len(rules) == 0 {
		return invalid("rules", "there are none")
	}
	bulk := make([]ipRuleBody, len(rules))
	for i := range rules {
		var err error
		if bulk[i], err = rules[i].body(time.Now()); err != nil {
			return err
		}
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return err
	}
	for i := range bulk {
		bulk[i].ClientID = id
		if bulk[i].EventType == "" {
			bulk[i].EventType = IPEventManual
		}
	}
	op := ipListsCreateRules
	if ignoreExisting {
		op.replay = idempotent
	}
	body := struct {
		IgnoreIfExists bool         `json:"ignore_if_exists"`
		Bulk           []ipRuleBody `json:"bulk"`
	}{ignoreExisting, bulk}
	return run(ctx, s.client, op, args{body: body}, opts)
}

// CreateRulesV5 adds entries to one list in one call and returns them. A List of the entries must be list or empty. With force it overwrites
// what is there, and may be repeated.
//
// POST /v5/ip_rules, known from the vendor's API Console only. Replay class: once, with force idempotent.
func (s *IPListsService) CreateRulesV5(ctx context.Context, list IPList, rules []NewIPRule, force bool, opts ...CallOption) ([]IPRule, error) {
	if len(rules) == 0 {
		return nil, invalid("rules", "there are none")
	}
	entries := make([]ipRuleBody, len(rules))
	for i, rule := range rules {
		if rule.List != "" && rule.List != list {
			return nil, invalid("list", "all entries go to %s, not to %s", list, rule.List)
		}
		rule.List = list
		entry, err := rule.body(time.Now())
		if err == nil {
			err = entry.isBulkOnly()
		}
		if err != nil {
			return nil, err
		}
		entries[i], entries[i].List = entry, ""
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	op := ipListsCreateRulesV5
	if force {
		op.replay = idempotent
	}
	body := struct {
		ClientID int64        `json:"client_id"`
		List     string       `json:"list"`
		Force    bool         `json:"force"`
		Rules    []ipRuleBody `json:"ip_rules"`
	}{id, ipRuleWords.wire(string(list)), force, entries}
	return do[[]IPRule](ctx, s.client, op, args{body: body}, opts)
}

// IPRuleUpdate says what to change. An absent field stays as it is.
type IPRuleUpdate struct {
	// ExpiresAt is the new expiry; [Forever] is never.
	ExpiresAt Opt[time.Time]
	// Reason is the new reason; an empty text or null clears it.
	Reason    Opt[string]
	EventType Opt[IPEventType]
}

// UpdateRule changes expiry, reason or event type of an entry.
//
// PUT /v4/ip_rules/{id} with a form, known from the vendor's API Console only. Replay class: idempotent.
func (s *IPListsService) UpdateRule(ctx context.Context, id int64, update IPRuleUpdate, opts ...CallOption) (*IPRule, error) {
	if update == (IPRuleUpdate{}) {
		return nil, invalid("update", "it changes nothing")
	}
	form := url.Values{}
	if !update.ExpiresAt.IsZero() {
		expiry, _ := update.ExpiresAt.Get()
		if _, err := (IPTerms{ExpiresAt: expiry}).prepared(time.Now()); err != nil {
			return nil, err
		}
		form.Set("ip_rule[expired_at]", unixText(expiry))
	}
	if !update.Reason.IsZero() {
		form.Set("ip_rule[reason]", update.Reason.Or(""))
	}
	if !update.EventType.IsZero() {
		event, ok := update.EventType.Get()
		if !ok || event == "" {
			return nil, invalid("event type", "it is empty")
		}
		form.Set("ip_rule[event_type]", string(event))
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return nil, err
	}
	form.Set("clientid", strconv.FormatInt(clientID, 10))
	return get[IPRule](ctx, s.client, ipListsUpdateRule, args{path: []any{id}, form: form}, opts)
}

// DeleteRule removes an entry. One that is not there counts as removed.
//
// DELETE /v4/ip_rules/{id}, known from the vendor's API Console only; DeleteRules is the documented way. Replay class: idempotent.
func (s *IPListsService) DeleteRule(ctx context.Context, id int64, opts ...CallOption) error {
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return err
	}
	q := url.Values{"clientid": {strconv.FormatInt(clientID, 10)}}
	return remove(ctx, s.client, ipListsDeleteRule, args{path: []any{id}, query: q}, opts)
}

// DeleteRules removes entries by their ids, up to 1000 in one call. No ids at all are refused: the route would remove everything. A single id
// that is not there counts as removed. Of a call that fails after others the error says how many are gone, see [IPListsService.Remove].
//
// DELETE /v4/ip_rules with a JSON body. Replay class: idempotent.
func (s *IPListsService) DeleteRules(ctx context.Context, ids []int64, opts ...CallOption) error {
	if len(ids) == 0 {
		return invalid("ids", "there are none")
	}
	for _, id := range ids {
		if id <= 0 {
			return invalid("id", "%d is not positive", id)
		}
	}
	clientID, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return err
	}
	type filter struct {
		ClientID int64   `json:"clientid"`
		IDs      []int64 `json:"id"`
	}
	all, err := batches(ids, ipBatch, func(part []int64) any {
		return struct {
			Filter filter `json:"filter"`
		}{filter{clientID, part}}
	})
	if err != nil {
		return err
	}
	return removeBatches(ctx, s.client, ipListsDeleteRules, args{}, all, opts)
}
