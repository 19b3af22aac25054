package wallarm

// RulesService manages rules and mitigation controls.
type RulesService service

// ScopesService reads scopes: the sets of conditions that rules apply to.
type ScopesService service
