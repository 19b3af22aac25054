package wallarm

// SecurityIssuesService reads security issues.
type SecurityIssuesService service
