package wallarm

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// IPList names a list. The generations of the API have different words for them on the wire.
type IPList string

const (
	// Denylist blocks (wire: block, black).
	Denylist IPList = "deny"
	// Allowlist lets everything pass (wire: allow, white).
	Allowlist IPList = "allow"
	// Graylist blocks what looks like an attack, in the filtration mode safe_blocking (wire: gray).
	Graylist IPList = "gray"
	// APIAbuseExceptions holds sources that API abuse prevention leaves alone. Only the documented generation of routes has it, and only the
	// vendor's API Console names it.
	APIAbuseExceptions IPList = "api_abuse_exceptions"
)

// IPKind is the kind of a value in a list. New ones may appear.
type IPKind string

const (
	// IPSubnet is an address or a subnet (wire: subnet, ip_range).
	IPSubnet IPKind = "subnet"
	// IPCountry is a country, by its ISO 3166-1 alpha-2 code (wire: location, country).
	IPCountry IPKind = "country"
	// IPDatacenter is a data centre or cloud, such as aws, azure, gce or hetzner.
	IPDatacenter IPKind = "datacenter"
	// IPProxy is a kind of proxy, such as TOR or VPN (wire: proxy_type).
	IPProxy IPKind = "proxy"
)

// The kinds of proxies that the vendor names, values of the kind [IPProxy].
const (
	ProxyVPN          = "VPN"
	ProxyTor          = "TOR"
	ProxyPublic       = "PUB"
	ProxyWeb          = "WEB"
	ProxySearchEngine = "SES"
	ProxyHosting      = "DCH"
	ProxyMalicious    = "MIP"
)

// Forever is the latest expiry that the vendor documents, in the year 3022: an entry with it stays until somebody removes it.
var Forever = time.Unix(33223139044, 0).UTC()

// isForever reports whether an expiry is none. The API writes 0, clients write now and a hundred years, or Forever.
func isForever(t time.Time) bool { return t.Unix() <= 0 || t.Year() >= 2100 }

// ipWords are the words of one generation of routes for lists and kinds: pairs of the product's word and the wire's.
type ipWords []string

var (
	blocklistWords = ipWords{"deny", "block", "country", "location", "proxy", "proxy_type"}
	ipRuleWords    = ipWords{"deny", "black", "allow", "white", "subnet", "ip_range", "proxy", "proxy_type"}
)

// wire returns the word of the wire for one of the product. What it does not know it leaves as it is.
func (w ipWords) wire(word string) string { return w.swap(word, 0) }

// product is the opposite of wire.
func (w ipWords) product(word string) string { return w.swap(word, 1) }

func (w ipWords) swap(word string, column int) string {
	for i := 0; i < len(w); i += 2 {
		if w[i+column] == word {
			return w[i+1-column]
		}
	}
	return word
}

// ParseIPList returns the list that a word means: the product's words (deny, denylist and so on) and those of both generations of the wire.
func ParseIPList(word string) (IPList, error) {
	word = strings.ToLower(strings.TrimSpace(word))
	switch strings.TrimSuffix(word, "list") {
	case "deny", "block", "black":
		return Denylist, nil
	case "allow", "white":
		return Allowlist, nil
	case "gray", "grey":
		return Graylist, nil
	case string(APIAbuseExceptions):
		return APIAbuseExceptions, nil
	}
	return "", invalid("list", "%q is none: say deny, allow or gray", clip(word))
}

func checkIPList(list IPList, allowed ...IPList) error {
	if !slices.Contains(allowed, list) {
		return invalid("list", "%q is none of %v", clip(string(list)), allowed)
	}
	return nil
}

func checkIPKind(kind IPKind) error {
	if strings.TrimSpace(string(kind)) == "" {
		return invalid("kind", "it is empty")
	}
	return nil
}

// IPValue is one thing that a list may hold. [ParseIPValue], [Addresses], [Countries], [Datacenters] and [Proxies] make them.
type IPValue struct {
	Kind  IPKind
	Value string
}

// Addresses returns addresses and subnets as values: 203.0.113.7, 198.51.100.0/24, 2001:db8::/32. What [ParseIPValue] refuses is refused by
// the call that they are given to.
func Addresses(addresses ...string) []IPValue { return ipValues(IPSubnet, addresses) }

// Countries returns countries as values, by their ISO 3166-1 alpha-2 codes.
func Countries(codes ...string) []IPValue { return ipValues(IPCountry, codes) }

// Datacenters returns data centres as values. The vendor names alibaba, aws, azure, docean, gce, hetzner, huawei, ibm, linode, oracle, ovh,
// plusserver, rackspace and tencent.
func Datacenters(names ...string) []IPValue { return ipValues(IPDatacenter, names) }

// Proxies returns kinds of proxies as values, see [ProxyTor].
func Proxies(kinds ...string) []IPValue { return ipValues(IPProxy, kinds) }

func ipValues(kind IPKind, texts []string) []IPValue {
	values := make([]IPValue, len(texts))
	for i, text := range texts {
		values[i] = IPValue{kind, text}
	}
	return values
}

// ParseIPValue reads what [IPValue.String] writes: an address or subnet as it is, everything else behind its kind, as in country:NL,
// datacenter:aws and proxy:TOR. The result is in the form that values are compared in. A subnet with bits behind its prefix, such as
// 203.0.113.201/24, is refused: nobody can tell whether the address or the subnet is meant. An IPv4 address in the form of IPv6, such as
// ::ffff:203.0.113.7, is read as the IPv4 address; a subnet in that form, such as ::ffff:0:0/96, is refused.
func ParseIPValue(text string) (IPValue, error) {
	text = strings.TrimSpace(text)
	for _, kind := range []IPKind{IPCountry, IPDatacenter, IPProxy, IPSubnet} {
		if value, ok := strings.CutPrefix(text, string(kind)+":"); ok {
			return IPValue{kind, value}.normal()
		}
	}
	return IPValue{IPSubnet, text}.normal()
}

// String returns an address or subnet as it is, and everything else behind its kind, as in country:NL.
func (v IPValue) String() string {
	if v.Kind == IPSubnet {
		return v.Value
	}
	return string(v.Kind) + ":" + v.Value
}

// normal returns the one form of a value: a single address without suffix, a subnet with no bits behind its prefix, letters as the API has
// them.
func (v IPValue) normal() (IPValue, error) {
	v.Value = strings.TrimSpace(v.Value)
	if v.Value == "" {
		return v, invalid("value", "it is empty")
	}
	switch v.Kind {
	case IPSubnet:
		prefix, err := parseSubnet(v.Value)
		if err != nil {
			return v, err
		}
		v.Value = prefix.String()
		if prefix.IsSingleIP() {
			v.Value = prefix.Addr().String()
		}
	case IPCountry:
		if len(v.Value) != 2 || !isLetters(v.Value) {
			return v, invalid("country", "%q is no ISO 3166-1 alpha-2 code", clip(v.Value))
		}
		v.Value = strings.ToUpper(v.Value)
	case IPDatacenter:
		v.Value = lower(v.Value)
	case IPProxy:
		v.Value = upper(v.Value)
	case "":
		return v, invalid("kind", "%q has none", clip(v.Value))
	}
	return v, nil
}

// parseSubnet reads an address or a subnet. An IPv4 address in IPv6 clothes is an IPv4 address. A subnet in them is refused: ::ffff:0:0/96, which
// is a harmless way to name them all in IPv6, would become 0.0.0.0/0.
func parseSubnet(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return netip.Prefix{}, invalid("address", "%q is neither an address nor a subnet", clip(text))
		}
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return prefix, invalid("subnet", "%q is none: write it like 198.51.100.0/24", clip(text))
	}
	if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		if !prefix.IsSingleIP() {
			return prefix, invalid("subnet", "%s is an IPv4 subnet in the form of IPv6: write it as an IPv4 prefix, such as 198.51.100.0/24", clip(text))
		}
	}
	if whole := prefix.Masked(); whole != prefix {
		return prefix, invalid("subnet", "%s has bits behind its prefix: write %s for the subnet, or %s for the address", prefix, whole, prefix.Addr())
	}
	return prefix, nil
}

// normalIPValues returns values in their one form, each once, in order.
func normalIPValues(values []IPValue) ([]IPValue, error) {
	normal := make([]IPValue, 0, len(values))
	seen := make(map[IPValue]bool, len(values))
	for _, v := range values {
		v, err := v.normal()
		if err != nil {
			return nil, err
		}
		if !seen[v] {
			seen[v] = true
			normal = append(normal, v)
		}
	}
	return normal, nil
}

// prepared checks terms that something is to be added with, and fills in the default.
func (t IPTerms) prepared(now time.Time) (IPTerms, error) {
	switch {
	case t.ExpiresAt.IsZero():
		return t, invalid("ExpiresAt", "it is not set: give a time, or Forever")
	case !t.ExpiresAt.After(now):
		return t, invalid("ExpiresAt", "%s is past", t.ExpiresAt.Format(time.RFC3339))
	}
	if t.ApplicationIDs == nil {
		t.ApplicationIDs = []int64{AllApplications}
	}
	if len(t.ApplicationIDs) == 0 {
		return t, invalid("application id", "the list is empty; leave it nil for all applications")
	}
	for _, id := range t.ApplicationIDs {
		if id < DefaultApplication {
			return t, invalid("application id", "%d is none", id)
		}
		if id == AllApplications && len(t.ApplicationIDs) > 1 {
			return t, invalid("application id", "0 is all applications and stands alone")
		}
	}
	return t, nil
}
