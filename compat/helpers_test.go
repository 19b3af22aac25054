package compat

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/wallarm-sdk/wallarm/wallarmtest"
	wallarm "github.com/wallarm/wallarm-go"
)

const client = int(wallarmtest.DefaultClientID)

// TestMain keeps the client's own log of its retries out of the output.
func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// world is a fake cloud and the vendor's client that talks to it.
type world struct {
	*wallarmtest.Server
	api wallarm.API
}

func newWorld(t *testing.T, options ...wallarmtest.Option) *world {
	t.Helper()
	options = append(options, wallarmtest.WithToken("test-token-compat", "partner_admin_ext"))
	w := &world{Server: wallarmtest.NewServer(t, options...)}
	w.api = w.as(t, "test-token-compat")
	return w
}

// as is the vendor's client with another token. It waits for nothing between
// its three retries.
func (w *world) as(t *testing.T, token string) wallarm.API {
	t.Helper()
	api, err := wallarm.New(
		wallarm.UsingBaseURL(w.URL),
		wallarm.HTTPClient(w.Client()),
		wallarm.Headers(http.Header{"X-Wallarmapi-Token": {token}}),
		wallarm.UsingRetryPolicy(3, 0, 0),
	)
	require.NoError(t, err)
	return api
}

// stored decodes all objects of a kind that the cloud holds.
func stored[T any](t *testing.T, w *world, kind string) []T {
	t.Helper()
	require.Contains(t, w.Kinds(), kind)
	list := []T{}
	for _, raw := range w.Objects(kind) {
		var v T
		require.NoError(t, json.Unmarshal(raw, &v), string(raw))
		list = append(list, v)
	}
	return list
}

// anyObject is an object of the state.
type anyObject map[string]any

func ptr[T any](v T) *T { return &v }

// status wants an error of the client that carries this HTTP status.
func status(t *testing.T, want int, err error) {
	t.Helper()
	var apiErr *wallarm.APIError
	require.ErrorAs(t, err, &apiErr)
	require.Equal(t, want, apiErr.StatusCode, apiErr.Body)
}

// queryOf is the query of the last request of an operation.
func queryOf(t *testing.T, w *world, op string) url.Values {
	t.Helper()
	requests := w.RequestsOf(op)
	require.NotEmpty(t, requests)
	values, err := url.ParseQuery(requests[len(requests)-1].Query)
	require.NoError(t, err)
	return values
}

// address is an address of a range that is reserved for documentation.
func address(i int) string { return fmt.Sprintf("203.0.113.%d", i+1) }
