package wallarm

// VulnsService reads and changes vulnerabilities.
type VulnsService service
