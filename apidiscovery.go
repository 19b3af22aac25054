package wallarm

// APIDiscoveryService reads the discovered API inventory.
type APIDiscoveryService service
