package wallarm

// ReportsService orders and downloads reports.
type ReportsService service
