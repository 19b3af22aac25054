package transport

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/wallarm-sdk/wallarm/internal/redact"
)

const (
	// maxErrorBody is how much of an answer other than 2xx is kept.
	maxErrorBody = 64 << 10
	// cutMargin is how much more of it is looked at, so that no credential is torn by the cut.
	cutMargin = 4 << 10
	// maxDrain is how much more of it is read so that the connection can be used again.
	maxDrain = 256 << 10
	// maxPooled is the size up to which a buffer goes back to the pool.
	maxPooled = 4 << 20
)

// Answer is a complete answer of the server.
type Answer struct {
	Status int
	// URL is what was asked.
	URL      *url.URL
	Header   http.Header
	Attempts int
	// Unsure says that an attempt may have been applied although its answer, or the lack of one, does not say so.
	Unsure bool
	// Body is the whole body after decompression: that of a 2xx answer within the call's cap, that of another one cut to
	// 64 KiB, with what the request carried masked. It belongs to a pool: whoever is done with it calls Release.
	Body []byte
	// IsTorn says that Body is not known to be all of what the server sent. It may end in the middle of a credential.
	IsTorn bool
	// Stream is the unread body of a 2xx answer to a call that asked for it.
	Stream io.ReadCloser
	buffer *bytes.Buffer
	// sent is the request that it answers, known what must not be shown of it, once somebody has asked.
	sent  carried
	known redact.Credentials
	// isMasked says that Body is that of [Answer.Refusal].
	isMasked bool
}

// Credentials returns what the request carried and must not be shown, should the answer repeat it.
func (a *Answer) Credentials() redact.Credentials {
	if a.known == nil {
		a.known = a.sent.answered()
	}
	return a.known
}

// Refusal returns the beginning of a body that becomes an error, at most 64 KiB, with what the request carried masked.
func (a *Answer) Refusal() []byte {
	if a.isMasked {
		return a.Body
	}
	return a.Head(maxErrorBody)
}

// Head returns the first n bytes of the body with what the request carried masked. No part of a credential stays at its end. Looking for that has no
// regard for the context: it is cut before.
func (a *Answer) Head(n int) []byte {
	body := a.Body[:min(len(a.Body), n+cutMargin)]
	if a.IsTorn {
		return a.Credentials().CutOff(body, n)
	}
	return a.Credentials().Cut(body, n)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Release gives the body back. It may be called once, after which Body must not be touched.
func (a *Answer) Release() {
	if a == nil || a.buffer == nil {
		return
	}
	if a.buffer.Cap() <= maxPooled {
		a.buffer.Reset()
		buffers.Put(a.buffer)
	}
	a.buffer, a.Body = nil, nil
}

// read completes the exchange: it takes the body of the response and closes it.
func (x *exchange) read(response *http.Response) (*Answer, error) {
	answer := &Answer{Status: response.StatusCode, URL: x.call.URL, Attempts: x.attempts, sent: x.carried()}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		answer.known = answer.sent.credentials()
	}
	body, err := x.decompressed(response)
	answer.Header = response.Header
	if err != nil {
		response.Body.Close()
		if response.StatusCode < 200 || response.StatusCode > 299 {
			response.Body, answer.IsTorn = http.NoBody, true
			return answer, nil // the status is known whatever became of the body
		}
		return nil, err
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		defer body.Close()
		answer.Body, err = io.ReadAll(io.LimitReader(body, maxErrorBody+cutMargin))
		if err == nil {
			_, _ = io.CopyN(io.Discard, body, maxDrain)
		}
		// The status is known whatever became of the body.
		answer.IsTorn = err != nil
		answer.Body, answer.isMasked = answer.Refusal(), true
		response.Body = http.NoBody
		return answer, nil
	}
	if x.call.Stream {
		answer.sent.letGo()
		answer.IsTorn = true // whatever is read of it
		answer.Stream = &cappedBody{ReadCloser: body, limit: x.call.MaxBody, settled: x.settled}
		x.settled = nil
		return answer, nil
	}
	defer body.Close()
	buffer := buffers.Get().(*bytes.Buffer)
	answer.buffer = buffer
	if n := response.ContentLength; n > 0 && n <= min(x.call.MaxBody, maxPooled) {
		buffer.Grow(int(n) + bytes.MinRead)
	}
	x.limited.R, x.limited.N = body, max(x.call.MaxBody, x.call.MaxBody+1)
	read, err := buffer.ReadFrom(&x.limited)
	if err == nil && read > x.call.MaxBody {
		err = fmt.Errorf("%w of %d bytes", errBodyTooLarge, x.call.MaxBody)
	}
	if err != nil {
		answer.Release()
		return nil, fmt.Errorf("reading the body of the answer with status %d: %w", response.StatusCode, err)
	}
	answer.Body = buffer.Bytes()
	return answer, nil
}

// decompressed is the body after decompression. The standard transport does that itself, unless somebody set Accept-Encoding, as [Engine.acceptGzip] does.
// As there, the header then no longer tells how the body travelled.
func (x *exchange) decompressed(response *http.Response) (io.ReadCloser, error) {
	if !strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") || response.Uncompressed {
		return response.Body, nil
	}
	if response.ContentLength == 0 || response.StatusCode == http.StatusNoContent || x.call.Method == http.MethodHead {
		return response.Body, nil
	}
	reader := gzipReaders.Get().(*gzip.Reader)
	if err := reader.Reset(response.Body); errors.Is(err, io.EOF) {
		return response.Body, nil // nothing at all, which needs no unpacking
	} else if err != nil {
		return nil, fmt.Errorf("decompressing the answer: %w", err)
	}
	response.Header = response.Header.Clone()
	response.Header.Del("Content-Encoding")
	response.Header.Del("Content-Length")
	response.ContentLength, response.Uncompressed = -1, true
	return &gzipBody{reader, response.Body}, nil
}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

type gzipBody struct {
	reader *gzip.Reader
	body   io.ReadCloser
}

func (b *gzipBody) Read(p []byte) (int, error) {
	if b.reader == nil {
		return 0, io.EOF
	}
	n, err := b.reader.Read(p)
	if err == io.EOF {
		// Only one that has come to its end goes back: a body may be closed while it is read.
		gzipReaders.Put(b.reader)
		b.reader = nil
	}
	return n, err
}

func (b *gzipBody) Close() error { return b.body.Close() }

// cappedBody is a stream that fails once more than limit bytes have been read. A limit of 0 is none.
type cappedBody struct {
	io.ReadCloser
	limit, read int64
	settled     func()
}

func (b *cappedBody) Close() error {
	err := b.ReadCloser.Close()
	if b.settled != nil {
		b.settled()
	}
	return err
}

func (b *cappedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if excess := b.read - b.limit; b.limit > 0 && excess > 0 {
		return max(n-int(min(excess, int64(n))), 0), fmt.Errorf("%w of %d bytes", errBodyTooLarge, b.limit)
	}
	return n, err
}
