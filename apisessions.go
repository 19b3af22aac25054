package wallarm

// APISessionsService reads API sessions.
type APISessionsService service
