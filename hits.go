package wallarm

// HitsService reads hits.
type HitsService service
