package wallarm

// NodesService manages filter nodes.
type NodesService service
