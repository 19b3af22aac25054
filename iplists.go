package wallarm

// IPListsService manages the deny, allow and gray lists.
type IPListsService service
