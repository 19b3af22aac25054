package wallarm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Timestamp is a point in time. The API writes times as unix seconds, as numbers with a fraction, as quoted numbers, as RFC 3339 text, as
// dates or as null, sometimes the same member in two forms on two routes. A Timestamp reads all of these, and writes back the
// form that it was read from: a number or a quoted number with the same digits, RFC 3339 text, or a date. One made by [At] is written as unix
// seconds. The zero Timestamp is null.
//
// The time is kept, but not the form, of other texts, such as "2026-01-02 03:04:05", which are written as RFC 3339, and of numbers with an exponent,
// which are written in digits. RFC 3339 text loses the zeros at the end of its fraction. What is finer than a nanosecond is cut off, and so is the
// fraction of a number with an exponent. False, the empty text and the year 1 of Go's zero time, 0001-01-01T00:00:00Z, are no time, and written as null.
type Timestamp struct {
	time.Time
	form timeForm
}

// timeForm is how a Timestamp travels: one of the constants, where formFraction and formQuotedFraction have the number of digits, 1 to 9, added.
type timeForm uint8

const (
	formSeconds timeForm = iota
	formText
	formDate
	formQuoted
	formFraction
	formQuotedFraction = formFraction + 10
)

// At returns t as a Timestamp, cut to seconds as they travel.
func At(t time.Time) Timestamp {
	if t.IsZero() {
		return Timestamp{}
	}
	return Timestamp{Time: time.Unix(t.Unix(), 0)}
}

// AtText returns t as a Timestamp that travels as RFC 3339 text, for the routes that want it.
func AtText(t time.Time) Timestamp { return Timestamp{t, formText} }

// IsZero reports whether there is no time.
func (t Timestamp) IsZero() bool { return t.Time.IsZero() }

// appendJSON appends the form in which t travels.
func (t Timestamp) appendJSON(b []byte) []byte {
	switch {
	case t.IsZero():
		return append(b, "null"...)
	case t.form == formText:
		return t.AppendFormat(append(b, '"'), `2006-01-02T15:04:05.999999999Z07:00"`)
	case t.form == formDate:
		return t.AppendFormat(append(b, '"'), `2006-01-02"`)
	case t.form == formQuoted:
		return append(strconv.AppendInt(append(b, '"'), t.Unix(), 10), '"')
	case t.form > formQuotedFraction:
		t.form -= formQuotedFraction - formFraction
		return append(t.appendJSON(append(b, '"')), '"')
	case t.form > formFraction:
		digits := int(t.form - formFraction)
		seconds, nanos := t.Unix(), t.Nanosecond()
		if seconds < 0 && nanos > 0 {
			seconds, nanos = seconds+1, 1e9-nanos
			if seconds == 0 {
				b = append(b, '-')
			}
		}
		return fmt.Appendf(b, "%d.%s", seconds, fmt.Sprintf("%09d", nanos)[:digits])
	}
	return strconv.AppendInt(b, t.Unix(), 10)
}

// number returns t as unix seconds, with the digits of the fraction that it was read with.
func (t Timestamp) number() string {
	if t.form > formQuotedFraction {
		t.form -= formQuotedFraction - formFraction
	}
	if t.form < formFraction {
		t.form = formSeconds
		if nanos := t.Nanosecond(); nanos > 0 {
			t.form = formFraction + timeForm(len(strings.TrimRight(fmt.Sprintf("%09d", nanos), "0")))
		}
	}
	return string(t.appendJSON(nil))
}

// parse reads one JSON value.
func (t *Timestamp) parse(value jsontext.Value) error {
	*t = Timestamp{}
	switch value.Kind() {
	case 'n', 'f':
		return nil
	case '0':
		if seconds, ok := plainSeconds(value); ok {
			*t = Timestamp{Time: time.Unix(seconds, 0)}
			return nil
		}
		return t.parseNumber(string(value), formSeconds)
	case '"':
		if len(value) > 2 && t.UnmarshalText(value[1:len(value)-1]) == nil {
			t.form = formText // the usual text, without an allocation
			return nil
		}
		var buffer [64]byte
		text, err := jsontext.AppendUnquote(buffer[:0], value)
		if err != nil {
			return err
		}
		return t.parseText(strings.TrimSpace(string(text)))
	}
	return errNoTime
}

// errNoTime does not quote what was read: it may be a secret in an odd place.
var errNoTime = errors.New("it is no time")

// plainSeconds reads the usual form, digits alone, without an allocation.
func plainSeconds(value jsontext.Value) (int64, bool) {
	if len(value) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

func (t *Timestamp) parseNumber(s string, form timeForm) error {
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
		*t = Timestamp{time.Unix(seconds, 0), form}
		return nil
	}
	whole, fraction, found := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || !found || strings.Trim(fraction, "0123456789") != "" || fraction == "" {
		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil || f > 1<<53 || f < -(1<<53) {
			return errNoTime
		}
		*t = Timestamp{time.Unix(int64(f), 0), form}
		return nil
	}
	digits := min(len(fraction), 9)
	nanos, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if err != nil {
		return errNoTime
	}
	if strings.HasPrefix(whole, "-") {
		nanos = -nanos
	}
	fractionForm := formFraction
	if form == formQuoted {
		fractionForm = formQuotedFraction
	}
	*t = Timestamp{time.Unix(seconds, nanos), fractionForm + timeForm(digits)}
	return nil
}

// textLayouts are the forms of time texts that have been met.
var textLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05",
}

func (t *Timestamp) parseText(s string) error {
	if s == "" {
		return nil
	}
	for _, layout := range textLayouts {
		if parsed, err := time.Parse(layout, s); err == nil {
			*t = Timestamp{parsed, formText}
			return nil
		}
	}
	if parsed, err := time.Parse(time.DateOnly, s); err == nil {
		*t = Timestamp{parsed, formDate}
		return nil
	}
	return t.parseNumber(s, formQuoted)
}

// MarshalJSONTo writes the form that t was read from, or unix seconds.
func (t Timestamp) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteValue(t.appendJSON(e.AvailableBuffer()))
}

// UnmarshalJSONFrom reads any of the forms.
func (t *Timestamp) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	return t.parse(value)
}

// MarshalJSON writes the form that t was read from, or unix seconds.
func (t Timestamp) MarshalJSON() ([]byte, error) { return t.appendJSON(nil), nil }

// UnmarshalJSON reads any of the forms.
func (t *Timestamp) UnmarshalJSON(data []byte) error { return t.parse(data) }

// TimeRange is a span of time for a filter, from From to To. A zero From or To is an open end; the zero TimeRange is no condition. On the
// wire it is [[from, to]] in unix seconds, with null for an open end.
//
// Whether an event at the very second To is inside is not documented by the vendor (it is in the fake of package wallarmtest): to split time into
// spans without an overlap, let one end a second before the next begins. An attack has a beginning and an end, and may be in two spans.
type TimeRange struct {
	From, To time.Time
	more     []TimeRange
}

// Last returns the range from d ago with an open end. d must be positive, or the call that gets the range refuses it.
func Last(d time.Duration) TimeRange {
	now := time.Now()
	if d <= 0 {
		// A range that ends before it begins.
		return TimeRange{From: now, To: now.Add(min(d, -time.Nanosecond))}
	}
	return TimeRange{From: now.Add(-d)}
}

// Since returns the range from t with an open end.
func Since(t time.Time) TimeRange { return TimeRange{From: t} }

// Between returns the range from from to to.
func Between(from, to time.Time) TimeRange { return TimeRange{From: from, To: to} }

// Or returns a range that covers r and others: the API takes several spans at once. A zero range, which is no condition by itself, adds nothing to
// others, so that spans can be collected in a loop that begins with one.
func (r TimeRange) Or(others ...TimeRange) TimeRange {
	r.more = append(r.more[:len(r.more):len(r.more)], others...)
	return r
}

// IsZero reports whether r is no condition.
func (r TimeRange) IsZero() bool { return r.From.IsZero() && r.To.IsZero() && len(r.more) == 0 }

// validate refuses a span that ends before it begins.
func (r TimeRange) validate(name string) error {
	for _, span := range r.spans() {
		if !span.From.IsZero() && !span.To.IsZero() && span.To.Before(span.From) {
			return invalid(name, "the range ends (%s) before it begins (%s)", span.To.Format(time.RFC3339), span.From.Format(time.RFC3339))
		}
	}
	return nil
}

func (r TimeRange) spans() []TimeRange {
	var spans []TimeRange
	if !r.From.IsZero() || !r.To.IsZero() {
		spans = append(spans, TimeRange{From: r.From, To: r.To})
	}
	for _, other := range r.more {
		spans = append(spans, other.spans()...)
	}
	return spans
}

// until returns r with open ends closed at t.
func (r TimeRange) until(t time.Time) TimeRange {
	spans := r.spans()
	if len(spans) == 0 {
		return TimeRange{To: t}
	}
	for i := range spans {
		if spans[i].To.IsZero() {
			spans[i].To = t
		}
	}
	return spans[0].Or(spans[1:]...)
}

// MarshalJSONTo writes [[from, to]].
func (r TimeRange) MarshalJSONTo(e *jsontext.Encoder) error {
	b := append(e.AvailableBuffer(), '[')
	for i, span := range r.spans() {
		if i > 0 {
			b = append(b, ',')
		}
		b = At(span.From).appendJSON(append(b, '['))
		b = At(span.To).appendJSON(append(b, ','))
		b = append(b, ']')
	}
	return e.WriteValue(append(b, ']'))
}
