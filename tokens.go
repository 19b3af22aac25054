package wallarm

// TokensService manages API tokens.
type TokensService service
