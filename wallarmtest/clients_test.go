package wallarmtest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func partnerOK(t *testing.T, s *Server, method, path, body string) *object {
	t.Helper()
	o, err := parseObject([]byte(sendOK(t, s, PartnerToken, method, path, body)))
	require.NoError(t, err)
	return o
}

func TestClientLife(t *testing.T) {
	s := NewServer(t)
	own := bodyList(t, partnerOK(t, s, "GET", "/v1/objects/client?filter%5Bid%5D=4711&limit=1&offset=0", ""))[0]
	require.True(t, own.bool("is_technical"))
	create := fmt.Sprintf(`{"name":"Example Shop EU","partner_uuid":%q}`, own.str("partner_uuid"))
	made := partnerOK(t, s, "POST", "/v1/objects/client/create", create).object("body")
	id := made.int("id")
	require.EqualValues(t, 4711, made.int("partnerid"))
	require.Equal(t, own.str("partner_uuid"), made.str("partner_uuid"))
	refused(t, s, PartnerToken, "POST", "/v1/objects/client/create", create, 400, `{"status":400,"body":"Already exists"}`)

	require.Len(t, bodyList(t, partnerOK(t, s, "POST", "/v1/objects/client",
		fmt.Sprintf(`{"filter":{"id":[4711,4712,%d],"enabled":true},"order_by":"name","order_desc":true}`, id))), 3)
	require.Empty(t, bodyList(t, partnerOK(t, s, "POST", "/v1/objects/client", `{"filter":{"id":5150}}`)))
	require.Len(t, bodyList(t, partnerOK(t, s, "GET", "/v1/objects/client?filter%5Benabled%5D=true&filter%5Bname%5D=Example+Shop+EU", "")), 1)
	require.Len(t, bodyList(t, call200(t, s, "POST", "/v1/objects/client", `{"filter":{}}`)), 1, "without a global role one sees one's own account")

	// A tenant that is switched off locks its users out.
	s.AddToken(Token{Value: "test-token-tenant", ClientID: id, UserID: s.AddUser(User{ClientID: id, Email: "t@example.net"})})
	sendOK(t, s, "test-token-tenant", "POST", "/v1/user", "")
	changed := bodyList(t, partnerOK(t, s, "POST", "/v1/objects/client/update",
		fmt.Sprintf(`{"filter":{"id":%d},"fields":{"name":"Europe","enabled":false,"attack_rechecker_mode":"off"}}`, id)))
	require.Equal(t, "Europe", changed[0].str("name"))
	status, _ := send(t, s, "test-token-tenant", "POST", "/v1/user", "")
	require.Equal(t, 403, status)

	require.JSONEq(t, fmt.Sprintf(`{"status":200,"body":[%d]}`, id), sendOK(t, s, PartnerToken, "POST", "/v1/objects/client/delete", fmt.Sprintf(`{"filter":{"id":%d}}`, id)))
	require.JSONEq(t, `{"status":200,"body":[]}`, sendOK(t, s, PartnerToken, "POST", "/v1/objects/client/delete", fmt.Sprintf(`{"filter":{"id":%d}}`, id)))
	require.Nil(t, s.Object("clients", id))
	require.Empty(t, bodyList(t, partnerOK(t, s, "POST", "/v1/objects/user", `{"filter":{"email":"t@example.net"}}`)))
}

func TestClientRefusals(t *testing.T) {
	s := NewServer(t)
	uuid := partnerUUID(DefaultClientID)
	refused(t, s, AdminToken, "POST", "/v1/objects/client/create", `{"name":"x","partner_uuid":"`+uuid+`"}`, 403, forbidden)
	refused(t, s, PartnerToken, "POST", "/v1/objects/client/create", `{"name":"x","partner_uuid":"`+partnerUUID(OtherClientID)+`"}`, 403, forbidden)
	refused(t, s, PartnerToken, "POST", "/v1/objects/client/create", `{}`, 400, `{"status":400,"body":{"name":{"error":"required"},"partner_uuid":{"error":"required"}}}`)
	refused(t, s, PartnerToken, "POST", "/v1/objects/client/create", `{"name":"x","partner_uuid":"`+uuid+`","vuln_prefix":"ABCD"}`, 400,
		`{"status":400,"body":{"vuln_prefix":{"error":"invalid","value":"ABCD"}}}`)
	refused(t, s, PartnerToken, "POST", "/v1/objects/client/update", `{"filter":{"id":4712},"fields":{"blocking_type":"mild","scanner_state":1}}`, 400,
		`{"status":400,"body":{"blocking_type":{"error":"invalid","value":"mild"},"scanner_state":{"error":"invalid","value":1}}}`)
	refused(t, s, PartnerToken, "POST", "/v1/objects/client/update", `{"filter":{"id":4712},"fields":{"name":"Example Shop"}}`, 400, `{"status":400,"body":"Already exists"}`)
	refused(t, s, PartnerToken, "POST", "/v1/objects/client/update", `{"filter":{"id":4712},"fields":{"name":""}}`, 400,
		`{"status":400,"body":{"name":{"error":"can't be blank","value":""}}}`)
	refused(t, s, PartnerToken, "POST", "/v1/objects/client/delete", `{"filter":{}}`, 403, forbidden)
	refused(t, s, PartnerToken, "POST", "/v1/objects/client/delete", `{}`, 400, `{"status":400,"body":{"filter":{"error":"required"}}}`)
	refused(t, s, AdminToken, "POST", "/v1/objects/client/delete", `{"filter":{"id":4711}}`, 403, forbidden)
}

func TestClientWritesStopAtAHundred(t *testing.T) {
	s := NewServer(t)
	for range 120 {
		s.AddClient(Client{Name: "many", Parent: DefaultClientID})
	}
	update := func(limit string) int {
		return len(bodyList(t, partnerOK(t, s, "POST", "/v1/objects/client/update", `{"filter":{"name":"many"},"fields":{"language":"ru"}`+limit+`}`)))
	}
	require.Equal(t, 100, update(""))
	require.Equal(t, 120, update(`,"limit":1000`))
}

func TestSubscriptionsAreABareArray(t *testing.T) {
	s := NewServer(t)
	answer := sendOK(t, s, AdminToken, "GET", "/v1/clients/4711/billing/subscriptions", "")
	require.Regexp(t, `^\[\{"id":\d+,"client_id":4711,"plan_id":1,"type":"paid","state":"active","start_on":"\d{4}-\d\d-\d\d"`, answer)
	refused(t, s, AdminToken, "GET", "/v1/clients/5150/billing/subscriptions", "", 403, forbidden)
}

func TestPartnerLinks(t *testing.T) {
	s := NewServer(t)
	const links = "/v2/partner/4711/partner_client"
	require.JSONEq(t, `{"body":[{"id":9001,"partnerid":4711,"clientid":4712,"params":null}]}`, sendOK(t, s, PartnerToken, "GET", "/v2/partner_client?partnerid=4711", ""))
	require.JSONEq(t, `{"body":[]}`, sendOK(t, s, PartnerToken, "GET", "/v2/partner_client", ""), "partner 1 by default")
	require.JSONEq(t, `{"body":[]}`, sendOK(t, s, PartnerToken, "GET", "/v2/partner_client?partnerid%5B%5D=4711&clientid%5B%5D=5150", ""))
	refused(t, s, AdminToken, "GET", "/v2/partner_client?partnerid=4711", "", 403, forbidden)
	refused(t, s, PartnerToken, "GET", "/v2/partner/5150/partner_client", "", 404, notFound)

	id := s.AddClient(Client{Name: "lonely"})
	made := partnerOK(t, s, "POST", links, fmt.Sprintf(`{"clientid":%d,"params":{"contract":"c-1"}}`, id)).object("body")
	link := fmt.Sprintf("%s/%d", links, made.int("id"))
	require.Len(t, bodyList(t, partnerOK(t, s, "GET", links+"?limit=10&offset=1", "")), 1)
	refused(t, s, PartnerToken, "POST", links, fmt.Sprintf(`{"clientid":%d}`, id), 409, `{"status":409,"body":"Already exists"}`)
	refused(t, s, PartnerToken, "POST", links, `{"clientid":99}`, 404, notFound)
	refused(t, s, PartnerToken, "POST", links, `{"clientid":4711}`, 400, `{"status":400,"body":{"clientid":{"error":"invalid","value":4711}}}`)
	refused(t, s, PartnerToken, "POST", links, `{}`, 400, `{"status":400,"body":{"clientid":{"error":"required"}}}`)
	refused(t, s, PartnerToken, "POST", links, `{"clientid":5150,"params":7}`, 400, `{"status":400,"body":{"params":{"error":"invalid","value":7}}}`)
	require.Len(t, bodyList(t, partnerOK(t, s, "POST", "/v1/objects/client", `{"filter":{"name":"lonely"}}`)), 1, "a linked client is seen")

	other := s.AddClient(Client{Name: "lonelier"})
	require.Nil(t, partnerOK(t, s, "PUT", link, `{"params":null}`).object("body").get("params"))
	require.EqualValues(t, other, partnerOK(t, s, "PUT", link, fmt.Sprintf(`{"clientid":%d}`, other)).object("body").int("clientid"))
	require.EqualValues(t, other, partnerOK(t, s, "GET", link, "").object("body").int("clientid"))
	require.EqualValues(t, other, partnerOK(t, s, "DELETE", link, "").object("body").int("clientid"))
	refused(t, s, PartnerToken, "DELETE", link, "", 404, notFound)
	require.Empty(t, bodyList(t, partnerOK(t, s, "POST", "/v1/objects/client", `{"filter":{"name":"lonelier"}}`)))
}

func TestTenantGroups(t *testing.T) {
	s := NewServer(t)
	const groups = "/v2/partners/4711/groups"
	made := partnerOK(t, s, "POST", groups, `{"partner_id":4711,"name":"Retail","roles":["partner_auditor"]}`)
	require.JSONEq(t, `{"id":1201,"partner_id":4711,"name":"Retail","roles":["partner_auditor"],"auto_created":false,"global":false,"client_count":0}`,
		string(appendJSON(nil, made)))
	partnerOK(t, s, "POST", groups, `{"name":"Banks"}`)
	refused(t, s, PartnerToken, "POST", groups, `{"roles":[7]}`, 400, `{"status":400,"body":{"name":{"error":"required"},"roles":{"error":"invalid","value":[7]}}}`)
	refused(t, s, AdminToken, "GET", groups, "", 403, forbidden)

	group := groups + "/1201"
	require.JSONEq(t, `{"client_ids":[4712]}`, sendOK(t, s, PartnerToken, "POST", group+"/clients", `{"client_ids":[4712]}`))
	refused(t, s, PartnerToken, "POST", group+"/clients", `{"client_ids":[5150]}`, 404, notFound)
	refused(t, s, PartnerToken, "POST", group+"/clients", `{}`, 400, `{"status":400,"body":{"client_ids":{"error":"required"}}}`)
	require.JSONEq(t, `[4712]`, sendOK(t, s, PartnerToken, "GET", group+"/clients", ""))
	require.Regexp(t, `^\[\{"id":1202,.*"client_count":0\},\{"id":1201,.*"client_count":1\}\]$`, sendOK(t, s, PartnerToken, "GET", groups+"?order_by=name", ""))
	require.Regexp(t, `^\[\{"id":1201,[^{]*\]$`, sendOK(t, s, PartnerToken, "GET", groups+"?query=ret", ""))
	require.Equal(t, "Shops", partnerOK(t, s, "PUT", group, `{"name":"Shops","roles":[]}`).str("name"))
	sendOK(t, s, PartnerToken, "DELETE", group+"/clients/4712", "")
	refused(t, s, PartnerToken, "DELETE", group+"/clients/4712", "", 404, notFound)
	require.Equal(t, "Shops", partnerOK(t, s, "DELETE", group, "").str("name"))
	refused(t, s, PartnerToken, "PUT", group, `{"name":"x"}`, 404, notFound)
}
