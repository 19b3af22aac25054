package wallarm

import (
	"context"
	"iter"
)

var incidentsList = operation{"incidents.list", "POST", "/v1/objects/attack", read, inBody}

// IncidentsService reads incidents: attacks that exploited a vulnerability. On the wire an incident is an attack whose vulnid is not
// null, and lists of incidents are lists of attacks with that condition.
type IncidentsService service

// Incident is an attack whose VulnID is not nil.
type Incident = Attack

// incidents adds the condition that makes an attack an incident: "!vulnid": null.
func incidents(filter AttackFilter) AttackFilter {
	not := AttackFilter{}
	if filter.Not != nil {
		not = *filter.Not
	}
	if not.VulnIDs.IsZero() {
		not.VulnIDs = Null[[]int64]()
	}
	filter.Not = &not
	return filter
}

// List returns one page of the incidents that match filter, newest first unless page says otherwise. See [AttacksService.List] for page.
//
// POST /v1/objects/attack with the condition "!vulnid": null. Replay class: read.
func (s *IncidentsService) List(ctx context.Context, filter AttackFilter, page PageOptions, opts ...CallOption) (*Page[Incident], error) {
	return s.client.Attacks.offsetList(incidentsList, incidents(filter), opts).page(ctx, page)
}

// All iterates over the incidents that match filter, newest first.
//
// POST /v1/objects/attack with the condition "!vulnid": null. Replay class: read.
func (s *IncidentsService) All(ctx context.Context, filter AttackFilter, opts ...CallOption) iter.Seq2[Incident, error] {
	return s.client.Attacks.offsetList(incidentsList, incidents(filter), opts).all(ctx, PageOptions{})
}

// Pages is All by pages, from start on.
func (s *IncidentsService) Pages(ctx context.Context, filter AttackFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Incident], error] {
	return s.client.Attacks.offsetList(incidentsList, incidents(filter), opts).pages(ctx, start)
}
