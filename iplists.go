package wallarm

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var (
	ipListsList   = operation{"iplists.list", "GET", "/v1/blocklist/clients/{client_id}/groups", read, inObjects}
	ipListsAdd    = operation{"iplists.add", "POST", "/v1/blocklist/clients/{client_id}/access_rules", once, noAnswer}
	ipListsRemove = operation{"iplists.remove", "DELETE", "/v1/blocklist/clients/{client_id}/groups", idempotent, noAnswer}
)

// ipBatch is how many values or ids one call carries: the most that clients are known to send.
const ipBatch = 1000

// IPListsService manages the deny, allow and gray lists. Nodes look at the allow list first, then at the deny list, then at the gray list,
// and the first that has the source decides; the gray list acts in the filtration mode safe_blocking only. Nodes fetch the lists about
// once a minute, and a new entry may be missing from the service's own lists for some seconds. Administrators and Analysts may change the lists.
//
// There are two generations of routes over the same lists. List, All, Add, Remove and Sync use the current one, which takes many values in
// one call and whose entries are [IPEntry] values. The methods with Rule in their names use the one that the vendor documents, which takes
// one object per call and tells more about it, see [IPRule]. Ids of one generation mean nothing to the other.
type IPListsService service

// IPEntry is an entry of a list. An address or subnet is an entry of its own; countries, data centres and proxies that were added in one
// call are one entry with many values. The wire calls it a group.
type IPEntry struct {
	ID       int64  `json:"id"`
	ClientID int64  `json:"client_id"`
	Kind     IPKind `json:"rule_type"`
	List     IPList `json:"list"`
	// Values are what the entry is about. A single address may come with a suffix, as 203.0.113.7/32; [IPEntry.IPValues] evens that out.
	Values []string `json:"values"`
	// ApplicationIDs are the applications that the entry is for; [AllApplications] alone is all of them.
	ApplicationIDs []int64   `json:"application_ids"`
	Reason         string    `json:"reason,omitempty"`
	CreatedAt      Timestamp `json:"created_at"`
	// ExpiresAt is when the entry leaves the list, see [IPEntry.IsForever].
	ExpiresAt Timestamp `json:"expired_at"`
	// AuthorID is the user who made the entry, 0 if unknown.
	AuthorID int64 `json:"author_user_id,omitzero"`
	// Status is enabled or active where the entry is in force; the vendor gives no list.
	Status string `json:"status,omitempty"`
	Extra  Extra  `json:",embed"`
}

// IsForever reports whether the entry never expires, as far as anyone will live to see.
func (e *IPEntry) IsForever() bool { return isForever(e.ExpiresAt.Time) }

// ipEntryKey identifies an entry. The route that removes takes kinds and ids, so entries of two kinds may have the same id.
type ipEntryKey struct {
	kind IPKind
	id   int64
}

func (e *IPEntry) key() ipEntryKey { return ipEntryKey{e.Kind, e.ID} }

// isInForce reports whether the status lets the entry be in force. Of one that nobody has heard of that is not known.
func (e *IPEntry) isInForce() bool {
	switch strings.ToLower(e.Status) {
	case "", "enabled", "active":
		return true
	}
	return false
}

// IPValues returns the values in the one form that they can be compared in.
func (e *IPEntry) IPValues() []IPValue {
	values := make([]IPValue, len(e.Values))
	for i, text := range e.Values {
		values[i] = IPValue{e.Kind, text}
		if v, err := values[i].normal(); err == nil {
			values[i] = v
		}
	}
	return values
}

// Terms returns why, until when and for which applications the entry is in its list.
func (e *IPEntry) Terms() IPTerms {
	return IPTerms{Reason: e.Reason, ExpiresAt: e.ExpiresAt.Time, ApplicationIDs: e.ApplicationIDs}
}

// MarshalJSON writes the entry: the members with a value, and all that no field is for.
func (e IPEntry) MarshalJSON() ([]byte, error) {
	type plain IPEntry
	e.List, e.Kind = IPList(blocklistWords.wire(string(e.List))), IPKind(blocklistWords.wire(string(e.Kind)))
	return wire.MarshalEcho(plain(e))
}

// UnmarshalJSON reads an entry and keeps unknown members.
func (e *IPEntry) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, e) }

// UnmarshalJSONFrom reads an entry and keeps unknown members.
func (e *IPEntry) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain IPEntry
	if err := wire.UnmarshalDecode(d, (*plain)(e)); err != nil {
		return err
	}
	e.List, e.Kind = IPList(blocklistWords.product(string(e.List))), IPKind(blocklistWords.product(string(e.Kind)))
	return nil
}

// IPFilter selects entries. A zero field is no condition.
type IPFilter struct {
	// List is one list, or all of them.
	List IPList
	// Kinds are the kinds of values, by default all.
	Kinds []IPKind
	// Query is a text to search for.
	Query string
}

// ipEntryQuery is the query of a list of entries.
type ipEntryQuery struct {
	List   string   `url:"filter[list],omitempty"`
	Kinds  []string `url:"filter[rule_type][],omitempty"`
	Query  string   `url:"filter[query],omitempty"`
	Limit  int      `url:"limit"`
	Offset int      `url:"offset"`
}

func (s *IPListsService) list(filter IPFilter, opts []CallOption) *lister[IPEntry] {
	return &lister[IPEntry]{
		client: s.client, op: ipListsList, paging: byOffset, usual: 100, most: 1000, opts: opts,
		id: func(e *IPEntry) string {
			if e.ID == 0 {
				return ""
			}
			return string(e.Kind) + " " + idText(e.ID)
		},
		request: func(ctx context.Context, page PageOptions, _ time.Time) (args, error) {
			if page.OrderBy != "" || page.Order != DefaultOrder {
				return args{}, invalid("order", "%s has none", ipListsList.name)
			}
			if filter.List == APIAbuseExceptions {
				return args{}, invalid("list", "this generation of routes does not know %s: use ListRules", filter.List)
			}
			if err := validateQueryFilter(filter); err != nil {
				return args{}, err
			}
			q := ipEntryQuery{Query: filter.Query, Limit: page.Limit, Offset: page.Offset, List: blocklistWords.wire(string(filter.List))}
			kinds := filter.Kinds
			if len(kinds) == 0 {
				// The vendor's client always names at least one kind.
				kinds = []IPKind{IPSubnet, IPCountry, IPDatacenter, IPProxy}
			}
			for _, kind := range kinds {
				q.Kinds = append(q.Kinds, blocklistWords.wire(string(kind)))
			}
			id, err := s.client.ClientID(ctx, opts...)
			return args{path: []any{id}, query: q}, err
		},
	}
}

// List returns one page of the entries that match filter, in the order of the API.
//
// page.Limit is 100 by default and at most 1000; the list takes no order.
//
// GET /v1/blocklist/clients/{client_id}/groups. Replay class: read.
func (s *IPListsService) List(ctx context.Context, filter IPFilter, page PageOptions, opts ...CallOption) (*Page[IPEntry], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the entries that match filter.
//
// GET /v1/blocklist/clients/{client_id}/groups. Replay class: read.
func (s *IPListsService) All(ctx context.Context, filter IPFilter, opts ...CallOption) iter.Seq2[IPEntry, error] {
	return s.list(filter, opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *IPListsService) Pages(ctx context.Context, filter IPFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[IPEntry], error] {
	return s.list(filter, opts).pages(ctx, start)
}

// IPTerms says why, until when and for which applications something is in a list.
type IPTerms struct {
	// Reason is a text for those who read the list.
	Reason string
	// ExpiresAt is when it leaves the list, cut to seconds. It must be in the future; [Forever] is never.
	ExpiresAt time.Time
	// ApplicationIDs are the applications that it is for; nil is all of them. A list that is empty but not nil is refused: whoever computed it means none.
	ApplicationIDs []int64
}

// NewIPEntries is what to add to a list. All values get the same terms.
type NewIPEntries struct {
	List   IPList
	Values []IPValue
	IPTerms
	// Force overwrites what is in the list already, where a conflict (409) would be the answer without it. A call with Force may be
	// repeated, so the SDK does so after failures that leave the outcome open.
	Force bool
}

// Add adds values to a list, up to 1000 in one call and as many calls as it takes. It returns how many values the calls carried that
// succeeded, which is all of them unless there is an error. Values that stand there twice are added once.
//
// A value that is in the list already makes the call that carries it fail with an error that matches [ErrConflict], unless Force is set: after an error,
// a repeat without it is for the values that were not added. They are added in their order. The answer has no ids: read the list to learn them.
//
// POST /v1/blocklist/clients/{client_id}/access_rules. Replay class: once, with Force idempotent.
func (s *IPListsService) Add(ctx context.Context, entries NewIPEntries, opts ...CallOption) (int, error) {
	all, err := entries.batches(time.Now())
	if err != nil {
		return 0, err
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return 0, err
	}
	op, added := ipListsAdd, 0
	if entries.Force {
		op.replay = idempotent
	}
	for _, batch := range all {
		err := run(ctx, s.client, op, args{path: []any{id}, body: batch.body}, opts)
		if err != nil && added > 0 {
			err = afterPart(op, err)
		}
		if err != nil {
			return added, err
		}
		added += len(batch.items)
	}
	return added, nil
}

// batches checks the entries and cuts them into the calls that add them.
func (n NewIPEntries) batches(now time.Time) ([]batch[IPValue], error) {
	if err := checkIPList(n.List, Denylist, Allowlist, Graylist); err != nil {
		return nil, err
	}
	values, err := normalIPValues(n.Values)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, invalid("values", "there are none")
	}
	terms, err := n.prepared(now)
	if err != nil {
		return nil, err
	}
	return batches(values, ipBatch, func(part []IPValue) any {
		return accessRules{
			List: blocklistWords.wire(string(n.List)), Force: n.Force, Reason: terms.Reason,
			ApplicationIDs: terms.ApplicationIDs, ExpiredAt: terms.ExpiresAt.Unix(), Rules: accessRulesOf(part),
		}
	})
}

// accessRules is the body of Add. It spells rules_type with an s, unlike all other routes.
type accessRules struct {
	List           string       `json:"list"`
	Force          bool         `json:"force"`
	Reason         string       `json:"reason"`
	ApplicationIDs []int64      `json:"application_ids"`
	ExpiredAt      int64        `json:"expired_at"`
	Rules          []accessRule `json:"rules"`
}

type accessRule struct {
	Type   string   `json:"rules_type"`
	Values []string `json:"values"`
}

// accessRulesOf sorts values by kind.
func accessRulesOf(values []IPValue) []accessRule {
	var rules []accessRule
	for _, v := range values {
		kind := blocklistWords.wire(string(v.Kind))
		i := slices.IndexFunc(rules, func(r accessRule) bool { return r.Type == kind })
		if i < 0 {
			i = len(rules)
			rules = append(rules, accessRule{Type: kind})
		}
		rules[i].Values = append(rules[i].Values, v.Value)
	}
	return rules
}

// Deny adds addresses and subnets to the deny list. See [IPListsService.Add]. What is asked for is done: 0.0.0.0/0 and ::/0 lock everybody out.
func (s *IPListsService) Deny(ctx context.Context, addresses []string, terms IPTerms, opts ...CallOption) (int, error) {
	return s.Add(ctx, NewIPEntries{List: Denylist, Values: Addresses(addresses...), IPTerms: terms}, opts...)
}

// Allow adds addresses and subnets to the allow list. See [IPListsService.Add].
func (s *IPListsService) Allow(ctx context.Context, addresses []string, terms IPTerms, opts ...CallOption) (int, error) {
	return s.Add(ctx, NewIPEntries{List: Allowlist, Values: Addresses(addresses...), IPTerms: terms}, opts...)
}

// Gray adds addresses and subnets to the gray list. See [IPListsService.Add].
func (s *IPListsService) Gray(ctx context.Context, addresses []string, terms IPTerms, opts ...CallOption) (int, error) {
	return s.Add(ctx, NewIPEntries{List: Graylist, Values: Addresses(addresses...), IPTerms: terms}, opts...)
}

// Remove removes entries of one kind by their ids, up to 1000 in one call. All values of an entry go, which are many for countries, data
// centres and proxies: [IPListsService.RemoveValues] removes some of them. A single id that is not there counts as removed. If a call fails that is not
// the first, the error matches [ErrOutcomeUnknown] and says how many of the ids, from the first on, were removed before: a repeat is for the others.
//
// DELETE /v1/blocklist/clients/{client_id}/groups with a JSON body. Replay class: idempotent.
func (s *IPListsService) Remove(ctx context.Context, kind IPKind, ids []int64, opts ...CallOption) error {
	entries := make([]IPEntry, len(ids))
	for i, id := range ids {
		entries[i] = IPEntry{ID: id, Kind: kind}
	}
	return s.RemoveEntries(ctx, entries, opts...)
}

// RemoveEntries removes entries that were read before, of any kinds. See [IPListsService.Remove]. An entry of another client than the call is for
// is refused: its id may be that of another entry there.
//
// DELETE /v1/blocklist/clients/{client_id}/groups with a JSON body. Replay class: idempotent.
func (s *IPListsService) RemoveEntries(ctx context.Context, entries []IPEntry, opts ...CallOption) error {
	if len(entries) == 0 {
		return invalid("entries", "there are none")
	}
	all, err := ipRemovals(entries)
	if err != nil {
		return err
	}
	id, err := s.client.ClientID(ctx, opts...)
	if err != nil {
		return err
	}
	for i := range entries {
		if err := checkIPEntryOf(&entries[i], id); err != nil {
			return err
		}
	}
	return removeBatches(ctx, s.client, ipListsRemove, args{path: []any{id}}, all, opts)
}

// ipRemovals checks entries and cuts them into the calls that remove them.
func ipRemovals(entries []IPEntry) ([]batch[IPEntry], error) {
	for i := range entries {
		if err := checkIPEntry(&entries[i]); err != nil {
			return nil, err
		}
	}
	return batches(entries, ipBatch, func(part []IPEntry) any { return removedGroupsOf(part) })
}

// removeBatches makes the calls of a removal.
func removeBatches[T any](ctx context.Context, c *Client, op operation, a args, all []batch[T], opts []CallOption) error {
	removed := 0
	for _, batch := range all {
		a.body = batch.body
		err := run(ctx, c, op, a, opts)
		// Whether one unknown id makes the service leave the others alone is not known, so only a lone one counts as removed.
		if err != nil && (len(batch.items) > 1 || !isGone(err)) {
			if removed > 0 {
				err = afterChange(op, fmt.Sprintf("the first %d were removed before", removed), err)
			}
			return err
		}
		removed += len(batch.items)
	}
	return nil
}

// checkIPEntry checks that a removal can name the entry.
func checkIPEntry(e *IPEntry) error {
	if e.ID <= 0 {
		return invalid("entry id", "%d is not positive", e.ID)
	}
	return checkIPKind(e.Kind)
}

// checkIPEntryOf checks that the entry is of this client, as far as it says whose it is.
func checkIPEntryOf(e *IPEntry, clientID int64) error {
	if e.ClientID != 0 && e.ClientID != clientID {
		return invalid("entries", "entry %d is of client %d, the call is for client %d", e.ID, e.ClientID, clientID)
	}
	return nil
}

// removedGroups is the body of Remove.
type removedGroups struct {
	Rules []removedGroup `json:"rules"`
}

type removedGroup struct {
	Type string  `json:"rule_type"`
	IDs  []int64 `json:"ids"`
}

func removedGroupsOf(entries []IPEntry) removedGroups {
	var groups removedGroups
	for i := range entries {
		kind := blocklistWords.wire(string(entries[i].Kind))
		at := slices.IndexFunc(groups.Rules, func(g removedGroup) bool { return g.Type == kind })
		if at < 0 {
			at = len(groups.Rules)
			groups.Rules = append(groups.Rules, removedGroup{Type: kind})
		}
		groups.Rules[at].IDs = append(groups.Rules[at].IDs, entries[i].ID)
	}
	return groups
}
