package wallarmtest

import (
	"slices"
	"time"
)

// sampleVulns is the number of vulnerabilities that the incidents of the
// sample name, from 90001 on.
const sampleVulns = 40

// seedSampleIssues adds the vulnerabilities that the sample attacks exploited,
// security issues and reports.
func (c *Cloud) seedSampleIssues(now time.Time) {
	states := []string{vulnOpen, vulnOpen, vulnOpen, vulnClosed, vulnFalse}
	issues := []SecurityIssue{
		{Name: "Vulnerable version of ExampleSoft: 1.2.3", Severity: "high", TypeName: "Vulnerable component"},
		{Name: "SQL injection", Severity: "critical", Type: "sqli", TypeName: "SQL injection", DiscoveredBy: "passive_detect"},
		{Name: "Weak TLS configuration", Severity: "low", Type: "weak_crypto", TypeName: "Weak cryptography"},
		{Name: "Open redirect", Severity: "medium", Type: "redirect", TypeName: "Open redirect"},
	}
	kinds := slices.DeleteFunc(slices.Clone(sampleKinds), func(k sampleKind) bool {
		return slices.Contains([]string{"warn", "marker", "scanner", "brute", "dirbust", "bola"}, k.kind)
	})
	for i := range sampleVulns {
		kind := kinds[i%len(kinds)]
		c.AddVuln(Vuln{
			ID: int64(90001 + i), Type: kind.kind, Domain: sampleHosts[i%len(sampleHosts)], Path: kind.path, Method: kind.method,
			Parameter: kind.parameter, Target: kind.target, Threat: kind.threat, Status: states[i%len(states)],
			Found: now.Add(-time.Duration(sampleDays*24-i) * time.Hour),
		})
		issue := issues[i%len(issues)]
		issue.Host, issue.Discovered = sampleHosts[i%len(sampleHosts)], now.Add(-time.Duration(i)*time.Hour)
		issue.State = []string{"open", "open", "closed"}[i%3]
		issue.Incident = i%8 == 1
		c.AddSecurityIssue(issue)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, format := range reportFormats {
		end := now.Add(-time.Duration(i) * 24 * time.Hour)
		c.tables["reports"].insert(obj(
			"clientid", DefaultClientID, "time_from", end.Add(-24*time.Hour).Unix(), "time_to", end.Unix(), "format", format,
		))
	}
}
