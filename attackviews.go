package wallarm

// AttackViewsService manages saved views of the Attacks API.
type AttackViewsService service
