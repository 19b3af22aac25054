package wallarmtest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// response is an encoded answer.
type response struct {
	status      int
	contentType string
	header      http.Header
	body        []byte
}

const jsonType = "application/json"

func (r reply) encode() response {
	resp := response{status: r.status, header: r.header}
	switch {
	case r.empty:
	case r.contentType != "":
		resp.contentType, resp.body = r.contentType, r.raw
	default:
		resp.contentType, resp.body = jsonType, appendJSON(nil, r.doc)
	}
	return resp
}

// refusal is the answer to an error of a handler.
func refusal(err error) response {
	var api *apiError
	switch {
	case !errors.As(err, &api):
		return refusal(errText(http.StatusInternalServerError, err.Error()))
	case api.empty:
		return response{status: api.status}
	}
	return response{status: api.status, contentType: jsonType, body: appendJSON(nil, api.doc)}
}

var gzipWriters = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return w
}}

func compress(body []byte) []byte {
	var out bytes.Buffer
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	w.Reset(&out)
	_, _ = w.Write(body) // a bytes.Buffer does not fail
	_ = w.Close()
	return out.Bytes()
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(coding, "gzip") && strings.ReplaceAll(q, " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// write sends a response, compressed when the client asked for it. Errors
// are compressed too. more is added to the headers.
func (c *Cloud) write(w http.ResponseWriter, r *http.Request, resp response, more http.Header) {
	body := resp.body
	h := w.Header()
	for _, extra := range []http.Header{resp.header, more} {
		for name, values := range extra {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	if len(body) > 0 {
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", resp.contentType)
		}
		if acceptsGzip(r) {
			body = compress(body)
			h.Set("Content-Encoding", "gzip")
		}
		h.Set("Vary", "Accept-Encoding")
	}
	if resp.status != http.StatusNoContent && resp.status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(resp.status)
	if len(body) > 0 && r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may have left
	}
}
