package wallarm

// ActivityLogService reads who changed what.
type ActivityLogService service
