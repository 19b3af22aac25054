package wallarm

import (
	"context"
	"iter"
	"time"
)

var incidentsList = operation{"incidents.list", "POST", "/v1/objects/attack", read, inBody}

// IncidentsService reads incidents: attacks that exploited a vulnerability. On the wire an incident is an attack whose vulnid is not
// null, and lists of incidents are lists of attacks with that condition.
type IncidentsService service

// Incident is an attack with VulnIDs.
type Incident = Attack

// list adds the condition that makes an attack an incident: "!vulnid": null. It must not stand beside another one of that name.
func (s *IncidentsService) list(filter AttackFilter, opts []CallOption) *lister[Incident] {
	not := AttackFilter{}
	if filter.Not != nil {
		not = *filter.Not
	}
	_, excludes := not.VulnIDs.Get()
	not.VulnIDs = Null[[]int64]()
	plain := filter.VulnIDs.IsNull()
	filter.Not = &not
	l := s.client.Attacks.offsetList(incidentsList, filter, opts)
	if excludes || plain {
		l.request = func(context.Context, PageOptions, time.Time) (args, error) {
			if plain {
				return args{}, invalid("filter.vulnid", "null selects what is no incident")
			}
			return args{}, invalid("filter.vulnid", "incidents of some vulnerabilities cannot be left out: the condition takes the place of the one that selects incidents")
		}
	}
	return l
}

// List returns one page of the incidents that match filter, those first that went on last unless page says otherwise. See [AttacksService.List] for page. The
// condition on vulnerabilities in filter.Not is taken: it cannot hold ids.
//
// POST /v1/objects/attack with the condition "!vulnid": null. Replay class: read.
func (s *IncidentsService) List(ctx context.Context, filter AttackFilter, page PageOptions, opts ...CallOption) (*Page[Incident], error) {
	return s.list(filter, opts).page(ctx, page)
}

// All iterates over the incidents that match filter. Those that began last come first, see [AttacksService.All].
//
// POST /v1/objects/attack with the condition "!vulnid": null. Replay class: read.
func (s *IncidentsService) All(ctx context.Context, filter AttackFilter, opts ...CallOption) iter.Seq2[Incident, error] {
	l, start := byBeginning(s.list(filter, opts), PageOptions{})
	return l.all(ctx, start)
}

// Pages is All by pages, from start on. See [AttacksService.Pages] for other orders.
func (s *IncidentsService) Pages(ctx context.Context, filter AttackFilter, start PageOptions, opts ...CallOption) iter.Seq2[*Page[Incident], error] {
	l, start := byBeginning(s.list(filter, opts), start)
	return l.pages(ctx, start)
}
