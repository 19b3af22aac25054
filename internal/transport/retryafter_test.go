package transport

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzRetryAfter: whatever a server asks for, the wait is negative, for none, or positive and within the limit.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{
		"1", "0", "-1", "0.5", "1e300", "1e-300", "NaN", "Inf", "-Inf", "0x1p4", "99999999999999999999", " 5 ", "5, 6", "soon", "", "Sat, 01 Jan 2000 00:00:05 GMT",
		"Fri, 31 Dec 9999 23:59:59 GMT", "Saturday, 01-Jan-80 00:00:05 GMT", "Sat Jan  1 00:00:05 2080", "1_000",
	} {
		f.Add(seed, int64(time.Minute))
		f.Add(seed, int64(1))
	}
	f.Add("9223372036.854775807", int64(1<<63-1))
	f.Add("9223372036", int64(1<<63-1))
	f.Add("9007199.254740993", int64(9007199254740993))
	f.Fuzz(func(t *testing.T, value string, limit int64) {
		if limit <= 0 {
			return
		}
		wait := retryAfter(http.Header{"Retry-After": {value}}, time.Duration(limit))
		require.True(t, wait == -1 || wait > 0 && wait <= time.Duration(limit), "%q with a limit of %d is %d", value, limit, wait)
		require.EqualValues(t, -1, retryAfter(http.Header{"X-Retry-After": {value}}, time.Duration(limit)))
	})
}

func TestTheLargestRetryAfterIsTheLimit(t *testing.T) {
	// The largest Duration, as a number of seconds, rounds to one that no Duration holds.
	const limit = time.Duration(1<<63 - 1)
	require.Equal(t, limit, retryAfter(http.Header{"Retry-After": {"9223372036.854775807"}}, limit))
}
