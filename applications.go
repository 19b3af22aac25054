package wallarm

// ApplicationsService manages applications.
type ApplicationsService service
