package wallarmtest

import (
	"bytes"
	"cmp"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// pause waits for the delay of a fault. It is false when the client has left
// or the server closes.
func (c *Cloud) pause(r *http.Request, f *Fault) bool {
	if f == nil || f.Delay <= 0 {
		return true
	}
	timer := time.NewTimer(f.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-c.done:
	}
	return false
}

// misbehave answers as the fault wants it. resp is the true answer of the
// kinds that let the handler run.
func (c *Cloud) misbehave(w http.ResponseWriter, r *http.Request, f *Fault, resp response) {
	header := http.Header{}
	maps.Copy(header, f.Header)
	if f.RetryAfter != "" {
		header.Set("Retry-After", f.RetryAfter)
	}
	switch f.Kind {
	case FaultStatus, FaultStatusAfter:
		resp = response{
			status: cmp.Or(f.Status, http.StatusInternalServerError), body: []byte(f.Body),
			contentType: cmp.Or(f.ContentType, jsonType),
		}
	case FaultResetBefore, FaultResetAfter:
		reset(w)
	case FaultTruncate:
		c.truncate(w, resp)
	case FaultEndless:
		c.endless(w, r, resp)
		return
	case FaultCorruptGzip:
		corruptGzip(w, resp)
		return
	case FaultContentType:
		resp.contentType = cmp.Or(f.ContentType, "text/plain; charset=utf-8")
	case FaultHTML:
		status := cmp.Or(f.Status, http.StatusBadGateway)
		text := strconv.Itoa(status) + " " + http.StatusText(status)
		resp = response{
			status: status, contentType: "text/html; charset=utf-8",
			body: []byte(cmp.Or(f.Body, "<html><head><title>"+text+"</title></head><body><h1>"+text+"</h1></body></html>")),
		}
	case FaultEmpty:
		resp = response{status: cmp.Or(f.Status, http.StatusOK)}
	case FaultNull:
		resp = response{status: cmp.Or(f.Status, http.StatusOK), contentType: jsonType, body: []byte("null")}
	case FaultRedirect:
		header.Set("Location", f.URL)
		resp = response{status: cmp.Or(f.Status, http.StatusTemporaryRedirect)}
	case FaultHang:
		select {
		case <-r.Context().Done():
		case <-c.done:
		}
		panic(http.ErrAbortHandler)
	case FaultLock:
		resp = refusal(errRulesLocked())
	}
	c.write(w, r, resp, header)
}

// reset closes the connection with a TCP reset where it can, and without an
// answer in any case.
func reset(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, isTCP := conn.(*net.TCPConn); isTCP {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler)
}

func (c *Cloud) truncate(w http.ResponseWriter, resp response) {
	if len(resp.body) == 0 {
		resp.body = []byte("null")
	}
	w.Header().Set("Content-Type", cmp.Or(resp.contentType, jsonType))
	w.Header().Set("Content-Length", strconv.Itoa(len(resp.body)))
	w.WriteHeader(resp.status)
	_, _ = w.Write(resp.body[:len(resp.body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// endless sends the true answer without its last byte, and then blanks for as
// long as the client reads.
func (c *Cloud) endless(w http.ResponseWriter, r *http.Request, resp response) {
	w.Header().Set("Content-Type", cmp.Or(resp.contentType, jsonType))
	w.WriteHeader(resp.status)
	if n := len(resp.body); n > 0 {
		_, _ = w.Write(resp.body[:n-1])
	}
	blanks := bytes.Repeat([]byte(" "), 64<<10)
	control := http.NewResponseController(w)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := w.Write(blanks); err != nil {
			return
		}
		_ = control.Flush()
		select {
		case <-r.Context().Done():
			return
		case <-c.done:
			panic(http.ErrAbortHandler)
		case <-tick.C:
		}
	}
}

func corruptGzip(w http.ResponseWriter, resp response) {
	body := compress(append(bytes.Repeat([]byte(" "), 512), resp.body...))
	for i := 10; i < len(body); i += 3 {
		body[i] ^= 0x5a
	}
	w.Header().Set("Content-Type", cmp.Or(resp.contentType, jsonType))
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(resp.status)
	_, _ = w.Write(body)
}
