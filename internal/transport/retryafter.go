package transport

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter reads the header Retry-After, which holds seconds or an HTTP date, and returns a positive wait of at most limit. It
// returns a negative wait if there is no such header, if nobody can read it, or if it asks for no wait at all: a server that is too busy now is
// not asked again at once because its clock is late.
func retryAfter(header http.Header, limit time.Duration) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return -1
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		switch {
		case seconds != seconds || seconds <= 0:
			return -1
		case seconds >= limit.Seconds():
			return limit
		}
		return max(time.Duration(seconds*float64(time.Second)), time.Nanosecond)
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return -1
	}
	wait := time.Until(date)
	if wait <= 0 {
		return -1
	}
	return min(wait, limit)
}
