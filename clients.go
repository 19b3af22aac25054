package wallarm

// ClientsService manages clients (tenants).
type ClientsService service
