package wallarm

// IntegrationsService manages integrations.
type IntegrationsService service
