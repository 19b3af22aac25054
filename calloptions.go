package wallarm

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wallarm-sdk/wallarm/internal/transport"
)

// CallOption changes one call. [WithDefaults] makes it the default of a client.
type CallOption func(*callSettings) error

// callSettings is what the options of one call add up to.
type callSettings struct {
	header      http.Header
	timeout     time.Duration
	policy      transport.Policy
	class       *ReplayClass
	clientID    int64
	maxBody     int64
	response    *Response
	pageSize    int
	maxItems    int
	concurrency int
	noPrefetch  bool
	keepRaw     bool
	checkpoint  *Checkpoint
	progress    func(Progress)
	// repeatedToken is that of RepeatToken.
	repeatedToken Secret
}

// Response tells about the exchange behind a call, see [WithResponse].
type Response struct {
	// Operation is the name of the call, such as "attacks.list".
	Operation string
	// StatusCode is the HTTP status of the last answer, 0 if there was none.
	StatusCode int
	// Header is that of the last answer, with the values of cookies, locations and the like masked.
	Header http.Header
	// RequestID is the request id in the header, if there is one.
	RequestID string
	// Attempts is how many attempts were made.
	Attempts int
	// Duration is the time that the call took, waits included.
	Duration time.Duration
	// Size is the length of the answer's body in bytes after decompression, 0 for a stream.
	Size int
}

// WithHeader sets a header of the request. The four headers of the API that carry credentials cannot be set, nor Host, Content-Length,
// Transfer-Encoding, Connection and Trailer, nor idempotency keys: the Authenticator and the transport own them. Others can, Authorization and
// Cookie for a gateway on the way included; their values go where the request goes. Where an answer or an error repeats one, it is masked if the
// name of the header has token, secret, key, authorization, cookie or uuid in it, and it is of 6 characters and more; the value of any other header is
// no secret.
func WithHeader(name, value string) CallOption {
	return func(s *callSettings) error {
		if err := checkHeaderName(name); err != nil {
			return err
		}
		if err := checkHeaderValue("header "+shownWord(name, 24), value); err != nil {
			return err
		}
		s.header = s.header.Clone()
		if s.header == nil {
			s.header = make(http.Header)
		}
		s.header.Set(name, value)
		return nil
	}
}

var ownedHeaders = []string{
	headerToken, headerTokenX, headerUUID, headerKeySecret, "Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer",
	// The API knows no idempotency keys, but net/http repeats a request that carries one, whatever its replay class.
	"Idempotency-Key", "X-Idempotency-Key",
}

func checkHeaderName(name string) error {
	if !isHeaderName(name) {
		return invalid("header", "the name is empty, or holds what no name of a header can") // perhaps name and value in one
	}
	if slices.ContainsFunc(ownedHeaders, func(owned string) bool { return strings.EqualFold(owned, name) }) {
		return invalid("header", "%s is set by the SDK itself", name)
	}
	return nil
}

// WithTimeout bounds the whole call: all attempts, the waits between them, and the reading of the answer. The default is two minutes, unless the
// context has a deadline; 0 means no bound but the context. Neither ends the encoding of the request, nor the decoding of an answer that has come as a
// whole in time, but that the context ends the decoding of a page between its items: the size of the answer bounds that, a fifth of a second for each
// MiB of a hostile answer, half a second for one of triggers, about a second more for one that holds nothing but empty objects, and
// [WithMaxResponseSize] lowers the cap. An answer that is handed over as a stream (a [Download], a [Stream], a [Client.Call] into an io.Writer) is
// bounded up to its header only; bound its reading by the context. Methods that make several calls bound each of them anew, and so does the first call
// of a client that has to find its client id, which asks for that in a call of its own, see [Client.ClientID]: a deadline of the context bounds them
// together.
func WithTimeout(d time.Duration) CallOption {
	return func(s *callSettings) error {
		if d < 0 {
			return invalid("timeout", "%v is negative", d)
		}
		s.timeout = d
		if d == 0 {
			s.timeout = noTimeout
		}
		return nil
	}
}

const (
	noTimeout      = time.Duration(-1)
	defaultTimeout = 2 * time.Minute
	// defaultMaxBody caps an answer that is read as a whole.
	defaultMaxBody = 256 << 20
)

// WithRetries sets how often a failed attempt is followed by another. The default is 3; 0 switches retries off. What may be
// repeated at all depends on the replay class of the operation.
func WithRetries(n int) CallOption {
	return func(s *callSettings) error {
		if n < 0 {
			return invalid("retries", "%d is negative", n)
		}
		s.policy.MaxRetries = n
		return nil
	}
}

// WithWaits sets the waits between attempts: base is the upper end of the first random wait after a failure, which doubles
// up to longest; lock is the wait after 423 (rules locked). A Retry-After header is obeyed up to 30 seconds or longest, whichever
// is more. The defaults are 500 ms, 10 s and 5 s; a zero leaves the default.
func WithWaits(base, longest, lock time.Duration) CallOption {
	return func(s *callSettings) error {
		if base < 0 || longest < 0 || lock < 0 {
			return invalid("waits", "they must not be negative")
		}
		if base > 0 {
			s.policy.BaseWait = base
		}
		if longest > 0 {
			s.policy.MaxWait = longest
			s.policy.MaxRetryAfter = max(s.policy.MaxRetryAfter, longest)
		}
		if lock > 0 {
			s.policy.LockWait = lock
		}
		return nil
	}
}

// WithReplayClass overrides the replay class of the operation. ReplayIdempotent on a create allows the SDK to send it again after a
// failure that may have come after the change: the caller accepts doubles.
func WithReplayClass(class ReplayClass) CallOption {
	return func(s *callSettings) error {
		if class > ReplayRead {
			return invalid("replay class", "%d is none", class)
		}
		s.class = &class
		return nil
	}
}

// WithClientID makes the call for another client (tenant) than that of the client object. See also [Client.Tenant].
func WithClientID(id int64) CallOption {
	return func(s *callSettings) error {
		if id <= 0 {
			return invalid("client id", "%d is not positive", id)
		}
		s.clientID = id
		return nil
	}
}

// WithMaxResponseSize caps the answer, in bytes after decompression. The default is 256 MiB for answers that are read as a
// whole, and none for streams; it must be positive. Whatever the cap, an answer is refused with [ErrResponseTooLarge] if it holds so many objects,
// or elements of lists, that they would take more than 64 MiB and four times its size in memory: Stream takes such a list element by element.
func WithMaxResponseSize(n int64) CallOption {
	return func(s *callSettings) error {
		if n <= 0 {
			return invalid("maximum response size", "%d is not positive", n)
		}
		s.maxBody = n
		return nil
	}
}

// WithResponse fills r when the call ends, failed or not. An iterator fills it anew with each page. r must not be shared between
// calls that run at the same time.
func WithResponse(r *Response) CallOption {
	return func(s *callSettings) error {
		if r == nil {
			return invalid("response", "it is nil")
		}
		s.response = r
		return nil
	}
}

// PageSize sets how many items an iterator asks for at once. The default is the largest size that is known to work on the route. Routes with pages of
// a fixed size ignore it. Pages of 2 and more overlap by one item, by which an iterator notices that the list has moved; pages of 1 cannot, and may
// pass over items of a list that moves. Lists of events, of attacks by first_time or last_time too, overlap by all items of the second at which a
// page ends and one more, up to three quarters of a page, or half of one that was cut by its size: should the service order the items of one second
// anew with each answer, pages that hold little more than these lose some.
//
// A server may put fewer items into a page so that its answers do not grow without end. Behind a short page whose answer has 16 KiB and more, and
// half as much as the largest of the list, an iterator asks for what may stand behind it, in two requests at most if that is nothing; behind a
// smaller one it takes a short page for the end, unless a short one before it was not the last. So a first page that is short and small ends the list
// even if the server left an item out of it that alone fills an answer, and all behind that. Where a page that may have been cut holds nothing but the
// overlap, the next one is asked for without any: an item that leaves the list at that moment takes one with it that was not read yet. An iterator
// knows the last 16,384 items again: if more than that come in at the head of a list between two of its requests, or one moves by as many places, it
// may yield items a second time. In an order by something that many items share, such as a status code, a service that orders these anew with each
// answer makes an iterator pass over some. A list that grows as fast as its pages are read, by about as many items with each request as a small page
// has, ends with an error that says that page after page holds nothing new: larger pages help.
func PageSize(n int) CallOption {
	return func(s *callSettings) error {
		if n <= 0 {
			return invalid("page size", "%d is not positive", n)
		}
		s.pageSize = n
		return nil
	}
}

// MaxItems ends an iterator after n items; 0 means no end.
func MaxItems(n int) CallOption {
	return func(s *callSettings) error {
		if n < 0 {
			return invalid("maximum of items", "%d is negative", n)
		}
		s.maxItems = n
		return nil
	}
}

// Concurrency lets an iterator over an offset list have n pages in flight, at most 32. Items still come in order. The default, 1, reads
// one page ahead while the caller works; cursor lists always do that. Memory grows with n pages. When the context ends, the page at hand is the last one
// that is handed out; the iterator fails behind it.
//
// With more than 1, an item that moves within the list while pages are in flight may be left out, such as an attack of [AttacksService.All] to which a hit
// that comes late gives an earlier beginning. One that stays where it is comes once, whatever comes into the list or leaves it, but for pages that the
// server cuts by their size, see [PageSize].
func Concurrency(n int) CallOption {
	return func(s *callSettings) error {
		if n < 1 || n > 32 {
			return invalid("concurrency", "%d is not between 1 and 32", n)
		}
		s.concurrency = n
		return nil
	}
}

// NoPrefetch makes an iterator ask for a page only when the caller has finished the one before.
func NoPrefetch() CallOption {
	return func(s *callSettings) error {
		s.noPrefetch = true
		return nil
	}
}

// KeepRaw makes [Page.Raw] hold each item as it was received. A page prints them with their secrets masked; each of them alone prints as it is, and
// JSON holds them as they came, that of slog too where a page stands in a list or in a struct.
func KeepRaw() CallOption {
	return func(s *callSettings) error {
		s.keepRaw = true
		return nil
	}
}
