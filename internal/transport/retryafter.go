package transport

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter reads the header Retry-After, which holds seconds or an HTTP date, and returns a wait between 0 and limit. It
// returns a negative wait if there is no such header or nobody can read it.
func retryAfter(header http.Header, limit time.Duration) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return -1
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		switch {
		case seconds != seconds || seconds < 0:
			return -1
		case seconds > limit.Seconds():
			return limit
		}
		return time.Duration(seconds * float64(time.Second))
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return -1
	}
	return min(max(time.Until(date), 0), limit)
}
