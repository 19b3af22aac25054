package wallarm

import (
	"context"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

var statsSearch = operation{"stats.search", "POST", "/v1/search", read, inBody}

// SearchRequest is a search phrase to turn into filters.
type SearchRequest struct {
	// Query is the phrase, in the language of the Console's search field, such as "attacks last 24 hours" or "incidents sqli !ip:192.0.2.1". It
	// is required.
	Query string `json:"query"`
	// TimeZone is where days begin: a name, or the form UTC-3.0. It is UTC by default.
	TimeZone string `json:"time_zone"`
	// ClientIDs are the tenants; nil is the one that the client works for, an empty list is refused.
	ClientIDs []int64 `json:"clientid"`
	// HitsType says what to do with false positives; they are left out by default.
	HitsType SearchHitsType `json:"hits_type,omitzero"`
}

// SearchHitsType says which hits a search looks at. New values may appear.
type SearchHitsType string

const (
	SearchAllHits        SearchHitsType = "all"
	SearchTrueHits       SearchHitsType = "only-true"
	SearchFalsePositives SearchHitsType = "only-false"
)

// SearchFilters are ready-made filters, one for each kind of object. One that the phrase does not speak of is null.
type SearchFilters struct {
	// Attacks is for lists of attacks and hits, see [SearchFilters.AttackFilter] and [SearchFilters.HitFilter].
	Attacks RawJSON `json:"attacks"`
	// Incidents is for lists of attacks, too, see [SearchFilters.IncidentFilter].
	Incidents RawJSON `json:"incidents"`
	// Vulns is for lists of vulnerabilities, see [SearchFilters.VulnFilter].
	Vulns    RawJSON `json:"vulns"`
	TestRuns RawJSON `json:"testruns,omitzero"`
	Extra    Extra   `json:",embed"`
}

// MarshalJSON writes the filters: the members with a value, and all that no field is for.
func (f SearchFilters) MarshalJSON() ([]byte, error) {
	type plain SearchFilters
	return wire.MarshalEcho(plain(f))
}

// UnmarshalJSON reads filters and keeps unknown members.
func (f *SearchFilters) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, f) }

// UnmarshalJSONFrom reads filters and keeps unknown members.
func (f *SearchFilters) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain SearchFilters
	return wire.UnmarshalDecode(d, (*plain)(f))
}

// Search turns a search phrase into filters for the lists of this SDK. Experimental.
//
// POST /v1/search, known from the vendor's examples of 2019 to 2021 and the Console's API description. Replay class: read.
func (s *StatsService) Search(ctx context.Context, request SearchRequest, opts ...CallOption) (*SearchFilters, error) {
	if strings.TrimSpace(request.Query) == "" {
		return nil, invalid("search.query", "it is empty")
	}
	var err error
	if request.ClientIDs, err = s.client.clientIDs(ctx, request.ClientIDs, opts); err != nil {
		return nil, err
	}
	if request.TimeZone == "" {
		request.TimeZone = "UTC+0"
	}
	return get[SearchFilters](ctx, s.client, statsSearch, args{body: request}, opts)
}

// AttackFilter returns the filter for [AttacksService.List] and its neighbours, and whether there is one. Tenants, time and VulnIDs are in their
// fields; all other conditions are in Extra, as they came, for null is a value of its own there.
func (f *SearchFilters) AttackFilter() (AttackFilter, bool) { return attackFilterOf(f.Attacks) }

// HitFilter returns the filter for [HitsService.List] and its neighbours, and whether there is one: the condition on attacks, which hits take too.
// Tenants and time are in their fields, all other conditions are in Extra.
func (f *SearchFilters) HitFilter() (HitFilter, bool) {
	members, ok := searchMembers(f.Attacks)
	if !ok {
		return HitFilter{}, false
	}
	filter := HitFilter{Extra: members}
	filter.ClientIDs, filter.Time = members.takeClientIDs(), members.takeTime()
	return filter, true
}

// IncidentFilter is AttackFilter for [IncidentsService.List].
func (f *SearchFilters) IncidentFilter() (AttackFilter, bool) { return attackFilterOf(f.Incidents) }

// VulnFilter returns the filter for [VulnsService.List], and whether there is one. Tenants and time are in their fields, all other conditions
// are in Extra.
func (f *SearchFilters) VulnFilter() (VulnFilter, bool) {
	members, ok := searchMembers(f.Vulns)
	if !ok {
		return VulnFilter{}, false
	}
	filter := VulnFilter{Extra: members}
	filter.ClientIDs, filter.Time = members.takeClientIDs(), members.takeTime()
	return filter, true
}

func attackFilterOf(raw RawJSON) (AttackFilter, bool) {
	members, ok := searchMembers(raw)
	if !ok {
		return AttackFilter{}, false
	}
	filter := AttackFilter{Extra: members}
	filter.ClientIDs, filter.Time = members.takeClientIDs(), members.takeTime()
	// An incident list adds this condition itself: it must not stand in two places.
	take(members, "vulnid", &filter.VulnIDs)
	var not AttackFilter
	if take(members, "!vulnid", &not.VulnIDs) {
		filter.Not = &not
	}
	return filter, true
}

func searchMembers(raw RawJSON) (Extra, bool) {
	var members Extra
	if raw.Kind() != '{' || wire.Unmarshal(raw, &members) != nil {
		return nil, false
	}
	return members, true
}

// take moves a member into a field, unless it has another form.
func take[T any](members Extra, name string, field *T) bool {
	var value T
	raw, ok := members[name]
	if !ok || wire.Unmarshal(raw, &value) != nil {
		return false
	}
	*field = value
	delete(members, name)
	return true
}

func (e Extra) takeClientIDs() (ids []int64) {
	take(e, "clientid", &ids)
	return ids
}

// takeTime moves the member "time" into a range, if it is a list of pairs with at least one end each.
func (e Extra) takeTime() TimeRange {
	var pairs [][]Timestamp
	if wire.Unmarshal(e["time"], &pairs) != nil || len(pairs) == 0 {
		return TimeRange{}
	}
	var spans []TimeRange
	for _, pair := range pairs {
		if len(pair) != 2 || (pair[0].IsZero() && pair[1].IsZero()) {
			return TimeRange{}
		}
		spans = append(spans, Between(pair[0].Time, pair[1].Time))
	}
	delete(e, "time")
	return spans[0].Or(spans[1:]...)
}
