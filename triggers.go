package wallarm

// TriggersService manages triggers.
type TriggersService service
