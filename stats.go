package wallarm

// StatsService reads graphs and counters.
type StatsService service
