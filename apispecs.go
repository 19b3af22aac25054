package wallarm

// APISpecsService manages API specifications.
type APISpecsService service
