package wallarm

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Region is a Wallarm cloud: the base URL of its API. The clouds are separate installations: accounts, client ids, tokens
// and object ids of one mean nothing in another.
//
// The zero Region is no cloud, and [New] refuses it. [US] and [EU] are the clouds in service; [ParseRegion] takes their names;
// [WithBaseURL] reaches any other installation.
type Region struct {
	name    string
	baseURL string
}

var (
	// US is the United States cloud, https://us1.api.wallarm.com.
	US = Region{"US", "https://us1.api.wallarm.com"}
	// EU is the European cloud, https://api.wallarm.com. Its API host bears no region prefix.
	EU = Region{"EU", "https://api.wallarm.com"}
	// ME is the Middle East (KSA) cloud, https://me1.api.wallarm.com. The vendor documented it in March 2026 and withdrew the
	// documentation in July 2026: ask the vendor before you rely on it.
	ME = Region{"ME", "https://me1.api.wallarm.com"}
)

// ParseRegion returns the region that text names: "us", "us1", "eu", "eu1", "me" or "me1" in any case, the host name of its
// API, or its base URL.
func ParseRegion(text string) (Region, error) {
	name := strings.ToLower(strings.TrimSpace(text))
	for _, region := range []Region{US, EU, ME} {
		short := strings.ToLower(region.name)
		host := strings.TrimPrefix(region.baseURL, "https://")
		switch strings.TrimSuffix(name, "/") {
		case short, short + "1", host, region.baseURL:
			return region, nil
		}
	}
	return Region{}, invalid("region", "%s is no region: want us or eu, or set a base URL", shownWord(text, 7))
}

// shownWord quotes a short plain word, and nothing else: what was given may be a token in the wrong place, or a URL with a password.
func shownWord(text string, longest int) string {
	if len(text) > longest || strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return "what was given"
	}
	return strconv.Quote(text)
}

// String returns the name of the region, such as "US".
func (r Region) String() string { return r.name }

// BaseURL returns the base URL of the region's API, without a trailing slash.
func (r Region) BaseURL() string { return r.baseURL }

// MarshalText returns the name of the region.
func (r Region) MarshalText() ([]byte, error) { return []byte(r.name), nil }

// UnmarshalText reads what [ParseRegion] reads.
func (r *Region) UnmarshalText(text []byte) error {
	region, err := ParseRegion(string(text))
	if err == nil {
		*r = region
	}
	return err
}

// parseBaseURL checks a base URL and strips its trailing slash. A bare host name means https. Plain http is for localhost and
// loopback addresses only, unless allowed by name: a token would travel in clear text.
func parseBaseURL(text string, allowPlain bool) (*url.URL, error) {
	trimmed := strings.TrimRight(strings.TrimSpace(text), "/")
	if trimmed == "" {
		return nil, invalid("base URL", "it is empty")
	}
	u, err := url.Parse(trimmed)
	if err != nil {
		return nil, invalid("base URL", "it cannot be parsed")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, invalid("base URL", "want a scheme, as in https://api.wallarm.com")
	case u.Hostname() == "":
		return nil, invalid("base URL", "it names no host")
	case u.Port() != "" && !isPort(u.Port()):
		return nil, invalid("base URL", "a port is a number from 1 to 65535")
	case u.User != nil:
		return nil, invalid("base URL", "it must not carry credentials")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, invalid("base URL", "it must not carry a query or a fragment")
	case u.Scheme == "http" && !allowPlain && !isLoopback(u.Hostname()):
		return nil, invalid("base URL", "plain http would show the credentials on the way: use https, or allow it with WithPlainHTTP")
	}
	return u, nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// isLoopback reports whether what is sent to host stays on this machine: for localhost, spelled so, and for loopback addresses. They alone are
// spared by the proxies of the environment; for any other name, LOCALHOST, localhost. and api.localhost too, a proxy or a name server may be asked.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Zone() == "" && addr.IsLoopback()
}

// hostToURL completes a bare host name or host:port to a base URL, as users of the vendor's tools write them. A single word is refused, but for
// localhost and word:port: it may as well be a token in the wrong place, which would be looked up as a name.
func hostToURL(host string) (string, error) {
	host = strings.TrimSpace(host)
	if host == "" || strings.Contains(host, "://") {
		return host, nil
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if isLoopback(name) {
		return "http://" + host, nil
	}
	before, _, _ := strings.Cut(host, "/")
	if isWord := !strings.ContainsAny(before, ".:"); isWord || slices.ContainsFunc(strings.Split(name, "."), isNoLabel) {
		return "", invalid("base URL", "want a host name such as us1.api.wallarm.com, or a URL with a scheme")
	}
	return "https://" + host, nil
}

// isNoLabel reports whether what stands between the dots of a name is longer than names may be, as the parts of a token are.
func isNoLabel(label string) bool { return len(label) > 63 }
