package wallarmtest

import "time"

// sampleChange is a change that the administrator has made in the days before
// the sample, in the words of the API. The activity log tells of it.
type sampleChange struct {
	daysAgo int
	handle  func(*Cloud, *call) (reply, error)
	id      string // path parameter
	body    string
}

// sampleChanges stand in the order of time. Ids follow from it.
var sampleChanges = []sampleChange{
	{27, (*Cloud).createIntegration, "", `{"clientid":4711,"name":"Security team","type":"email","target":["soc@example.com"],"events":[
		{"event":"report_weekly","active":true},{"event":"system","active":true},{"event":"security_issue_critical","active":true}]}`},
	{26, (*Cloud).createIntegration, "", `{"clientid":4711,"name":"Alerts channel","type":"slack","target":"https://hooks.example.com/services/test-token-slack",
		"events":[{"event":"siem","active":false},{"event":"rules_and_triggers","active":true},{"event":"security_issue_high","active":true}]}`},
	{20, (*Cloud).createIntegration, "", `{"clientid":4711,"name":"SIEM","type":"splunk",
		"target":{"api":"https://splunk.example.com:8088","token":"test-token-splunk"},"events":[{"event":"siem","active":true,"with_headers":true}]}`},
	{14, (*Cloud).createTrigger, "", `{"trigger":{"template_id":"attacks_exceeded","name":"Many attacks","enabled":true,
		"filters":[{"id":"target","operator":"eq","values":["server"]}],"threshold":{"operator":"gt","period":3600,"count":100},
		"actions":[{"id":"send_notification","params":{"integration_ids":[3301,3302]}}]}}`},
	{13, (*Cloud).createTrigger, "", `{"trigger":{"template_id":"bruteforce_started","name":"Password guessing","comment":"agreed with the shop team","enabled":true,
		"filters":[{"id":"url","operator":"eq","values":["shop.example.com/login"]}],"threshold":{"operator":"gt","period":30,"count":30},
		"actions":[{"id":"mark_as_brute","params":{}},{"id":"block_ips","params":{"lock_time":3600}}]}}`},
	{9, (*Cloud).createTrigger, "", `{"trigger":{"template_id":"user_created","name":"New user","enabled":true,"filters":[],"threshold":null,
		"actions":[{"id":"send_notification","params":{"integration_ids":[3301]}}]}}`},
	{4, (*Cloud).replaceTrigger, "90210", `{"trigger":{"template_id":"attacks_exceeded","name":"Many attacks","enabled":true,
		"filters":[{"id":"target","operator":"eq","values":["server"]}],"threshold":{"operator":"gt","period":3600,"count":500},
		"actions":[{"id":"send_notification","params":{"integration_ids":[3301,3302]}}]}}`},
	{1, (*Cloud).updateIntegration, "3303", `{"active":false}`},
}

// seedSampleAccount makes integrations and triggers as an administrator would,
// so that the activity log has something to tell. The state lock is not held.
func (c *Cloud) seedSampleAccount(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, change := range sampleChanges {
		body, err := parseObject([]byte(change.body))
		if err != nil {
			panic(err) // the sample is part of the package
		}
		q := &call{
			cloud: c, now: now.Add(-time.Duration(change.daysAgo) * 24 * time.Hour), params: body,
			who: &identity{
				cloud: c, credential: &credential{}, userID: 70001, clientID: DefaultClientID, permissions: []string{"admin"},
			},
			path: map[string]string{"client_id": "4711", "id": change.id},
		}
		if _, err := change.handle(c, q); err != nil {
			panic(err)
		}
	}
}
