package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/wallarm-sdk/wallarm"
	vendor "github.com/wallarm/wallarm-go"
)

const (
	token    = "test-token-bench"
	tenant   = 4711
	pageSize = 1000
)

// contender is one way of making the calls that are measured. A list returns how many items came.
type contender interface {
	user(ctx context.Context) error
	// page reads one page of hits.
	page(ctx context.Context, offset, limit int) (items int, err error)
	// attacks reads the page of attacks behind a cursor.
	attacks(ctx context.Context, cursor string) (items int, next string, err error)
}

// tunedTransport is a connection pool for many goroutines and one host. All contenders have one of their own, unless a row says otherwise.
func tunedTransport(certificate []byte) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 100, 100
	if certificate != nil {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(certificate)
		t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return t
}

var errIncomplete = errors.New("the answer is not complete")

// floor moves the bytes and looks at none of them.
type floor struct {
	base   string
	client *http.Client
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// exchange sends body and returns the answer in a buffer that the caller puts back.
func (f *floor) exchange(ctx context.Context, path string, body []byte) (*bytes.Buffer, error) {
	request, err := newRequest(ctx, f.base+path, body)
	if err != nil {
		return nil, err
	}
	response, err := f.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	buffer := buffers.Get().(*bytes.Buffer)
	buffer.Reset()
	if response.ContentLength > 0 {
		buffer.Grow(int(response.ContentLength) + bytes.MinRead)
	}
	if _, err = buffer.ReadFrom(response.Body); err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return buffer, err
}

func newRequest(ctx context.Context, url string, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-WallarmApi-Token", token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	return request, nil
}

func (f *floor) user(ctx context.Context) error {
	buffer, err := f.exchange(ctx, "/v1/user", []byte("{}"))
	if err != nil {
		return err
	}
	defer buffers.Put(buffer)
	if buffer.Len() != len(userAnswer) {
		return errIncomplete
	}
	return nil
}

func (f *floor) page(ctx context.Context, offset, limit int) (int, error) {
	body := fmt.Appendf(nil, `{"filter":{"clientid":%d},"limit":%d,"offset":%d,"order_by":"time","order_desc":true}`, tenant, limit, offset)
	buffer, err := f.exchange(ctx, "/v1/objects/hit", body)
	if err != nil {
		return 0, err
	}
	defer buffers.Put(buffer)
	if !bytes.HasSuffix(buffer.Bytes(), []byte("]}")) {
		return 0, errIncomplete
	}
	return limit, nil
}

func (f *floor) attacks(ctx context.Context, cursor string) (int, string, error) {
	buffer, err := f.exchange(ctx, "/v2/objects/attack", fmt.Appendf(nil, `{"filter":{"clientid":[%d]},"paging":true,"cursor":%q}`, tenant, cursor))
	if err != nil {
		return 0, "", err
	}
	defer buffers.Put(buffer)
	// The cursor stands behind the items.
	tail := buffer.String()[max(buffer.Len()-64, 0):]
	_, after, _ := strings.Cut(tail, `"cursor":"`)
	next, _, _ := strings.Cut(after, `"`)
	return attackPage, next, nil
}

// decoder names the contender that shows what the decoding of a small answer costs by itself.
const decoder = "floor and decoder"

// decoded is the floor, and behind it the JSON library and the type of the SDK: what nothing but another library could take less time for.
type decoded struct{ floor }

func (d *decoded) user(ctx context.Context) error {
	buffer, err := d.exchange(ctx, "/v1/user", []byte("{}"))
	if err != nil {
		return err
	}
	defer buffers.Put(buffer)
	var answer struct {
		Body wallarm.User `json:"body"`
	}
	if err := jsonv2.Unmarshal(buffer.Bytes(), &answer); err != nil {
		return err
	}
	if answer.Body.ID != 70112 {
		return errIncomplete
	}
	return nil
}

// plain is the code that people write without an SDK.
type plain struct {
	base   string
	client *http.Client
}

func (p *plain) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := newRequest(ctx, p.base+path, body)
	if err != nil {
		return err
	}
	response, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return json.Unmarshal(data, out)
}

func (p *plain) user(ctx context.Context) error {
	var out struct {
		Body plainUser `json:"body"`
	}
	if err := p.call(ctx, "/v1/user", struct{}{}, &out); err != nil {
		return err
	}
	if out.Body.ID != 70112 {
		return errIncomplete
	}
	return nil
}

func (p *plain) page(ctx context.Context, offset, limit int) (int, error) {
	var out struct {
		Body []plainHit `json:"body"`
	}
	in := struct {
		Filter struct {
			ClientID int64 `json:"clientid"`
		} `json:"filter"`
		Limit     int    `json:"limit"`
		Offset    int    `json:"offset"`
		OrderBy   string `json:"order_by"`
		OrderDesc bool   `json:"order_desc"`
	}{Limit: limit, Offset: offset, OrderBy: "time", OrderDesc: true}
	in.Filter.ClientID = tenant
	err := p.call(ctx, "/v1/objects/hit", in, &out)
	return len(out.Body), err
}

func (p *plain) attacks(ctx context.Context, cursor string) (int, string, error) {
	var out struct {
		Body   []plainAttack `json:"body"`
		Cursor string        `json:"cursor"`
	}
	in := map[string]any{"filter": map[string]any{"clientid": []int64{tenant}}, "paging": true, "cursor": cursor}
	err := p.call(ctx, "/v2/objects/attack", in, &out)
	return len(out.Body), out.Cursor, err
}

// theirs is the vendor's client.
type theirs struct{ api vendor.API }

func newTheirs(base string, client *http.Client) (*theirs, error) {
	api, err := vendor.New(vendor.UsingBaseURL(base), vendor.HTTPClient(client),
		vendor.Headers(http.Header{"X-Wallarmapi-Token": {token}}))
	return &theirs{api}, err
}

func (v *theirs) user(context.Context) error {
	details, err := v.api.UserDetails()
	if err != nil {
		return err
	}
	if details.Body == nil || details.Body.Clientid != 5150 {
		return errIncomplete
	}
	return nil
}

func (v *theirs) page(_ context.Context, offset, limit int) (int, error) {
	hits, err := v.api.HitRead(&vendor.HitReadRequest{
		Filter: &vendor.HitFilter{ClientID: tenant}, Limit: limit, Offset: offset, OrderBy: "time", OrderDesc: true,
	})
	return len(hits), err
}

func (v *theirs) attacks(_ context.Context, cursor string) (int, string, error) {
	answer, err := v.api.AttackRead(&vendor.AttackReadRequest{Filter: &vendor.AttackFilter{ClientID: []int{tenant}}, Paging: true, Cursor: cursor})
	if err != nil {
		return 0, "", err
	}
	return len(answer.Body), answer.Cursor, nil
}

// ours is this SDK.
type ours struct{ client *wallarm.Client }

func newOurs(base string, options ...wallarm.Option) (*ours, error) {
	options = append([]wallarm.Option{wallarm.WithBaseURL(base), wallarm.WithDefaultClientID(tenant)}, options...)
	client, err := wallarm.New(wallarm.US, wallarm.Token(token), options...)
	return &ours{client}, err
}

func (o *ours) user(ctx context.Context) error {
	me, err := o.client.Users.Me(ctx)
	if err != nil {
		return err
	}
	if me.ID != 70112 {
		return errIncomplete
	}
	return nil
}

func (o *ours) page(ctx context.Context, offset, limit int) (int, error) {
	page, err := o.client.Hits.List(ctx, wallarm.HitFilter{}, wallarm.PageOptions{Limit: limit, Offset: offset})
	if err != nil {
		return 0, err
	}
	return len(page.Items), nil
}

func (o *ours) attacks(ctx context.Context, cursor string) (int, string, error) {
	page, err := o.client.Attacks.ListByCursor(ctx, wallarm.AttackFilter{}, wallarm.PageOptions{Cursor: cursor})
	if err != nil {
		return 0, "", err
	}
	return len(page.Items), page.Next.Cursor, nil
}

// contenders makes one of each. They share nothing.
func contenders(base string, rounder func() http.RoundTripper) (map[string]contender, error) {
	v, err := newTheirs(base, &http.Client{Transport: rounder()})
	if err != nil {
		return nil, err
	}
	o, err := newOurs(base, wallarm.WithRoundTripper(rounder()))
	if err != nil {
		return nil, err
	}
	return map[string]contender{
		"floor":  &floor{base, &http.Client{Transport: rounder()}},
		"plain":  &plain{base, &http.Client{Transport: rounder()}},
		"vendor": v,
		"sdk":    o,
		decoder:  &decoded{floor{base, &http.Client{Transport: rounder()}}},
	}, nil
}

// order is how contenders are listed.
var order = []string{"floor", "plain", "vendor", "sdk"}

// stub answers every request with the same body, without a network.
type stub struct{ body string }

// stubHeader is shared: what the stub itself costs is not what is measured.
var stubHeader = http.Header{"Content-Type": {"application/json"}}

func (s stub) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return &http.Response{
		StatusCode: http.StatusOK, ContentLength: int64(len(s.body)), Request: r,
		Header: stubHeader, Body: io.NopCloser(strings.NewReader(s.body)),
	}, nil
}
