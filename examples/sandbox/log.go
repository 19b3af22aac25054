package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wallarm-sdk/wallarm/internal/redact"
)

// requestLog writes one line for each request: when, what, the status, the
// size of the answer and the time it took. It shows no headers and no bodies,
// of the query no value that may be a secret, and the token nowhere.
type requestLog struct {
	lines   *log.Logger
	secrets redact.Credentials
}

func newRequestLog(w io.Writer, token string) *requestLog {
	// In a query, a plus sign may stand for a blank.
	secrets := redact.Sent(nil, nil, []string{token, strings.ReplaceAll(token, " ", "+")})
	return &requestLog{log.New(masked{w, secrets}, "", log.LstdFlags), secrets}
}

// masked hides secrets in all that is logged, the words of the HTTP server
// included. A logger writes each line at once, so that none is torn.
type masked struct {
	to      io.Writer
	secrets redact.Credentials
}

func (m masked) Write(line []byte) (int, error) {
	if _, err := io.WriteString(m.to, m.secrets.Text(string(line))); err != nil {
		return 0, err
	}
	return len(line), nil
}

func (l *requestLog) request(r *http.Request, w *watchedWriter, took time.Duration) {
	status := "---" // the connection was cut
	if w.status != 0 {
		status = fmt.Sprint(w.status)
	}
	u := *r.URL
	u.RawQuery = l.whole(u.RawQuery)
	l.lines.Printf("%s %s %s %dB %s", r.Method, redactedTarget(&u), status, w.bytes, took.Round(10*time.Microsecond))
}

// whole masks the pairs of a query in which the token lies across the "=".
// Neither name nor value shows it, and masking one tears it.
func (l *requestLog) whole(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if l.holds(pair) && !l.holds(name) && !l.holds(value) {
			pairs[i] = redacted + "=" + redacted
		}
	}
	return strings.Join(pairs, "&")
}

func (l *requestLog) holds(text string) bool { return l.secrets.Text(text) != text }

func (l *requestLog) note(text string) { l.lines.Print(text) }

// errors takes what the HTTP server has to say.
func (l *requestLog) errors() *log.Logger { return l.lines }

// hiddenNames are parts of the names of parameters whose values stay out of
// the log beside those that the SDK masks.
var hiddenNames = []string{
	"token", "secret", "password", "otp", "invitation", "signature", "key", "email", "phone", "license", "chat_data", "signed_url", "ca_file", "idp_cert",
	"saml_response", "qr_code", "file_remote_url", "user_attr_", "session_data", "additional_data", "authorization", "cookie", "x-amz-",
}

const redacted = redact.Mask

// isShown reports whether the value of a parameter may be logged.
func isShown(name string) bool {
	plain, err := url.QueryUnescape(name)
	if err != nil || redact.IsSecretName(plain) {
		return false // of one that cannot be read nobody knows what it says
	}
	plain = strings.ToLower(plain)
	return !slices.ContainsFunc(hiddenNames, func(part string) bool { return strings.Contains(plain, part) })
}

func redactedTarget(u *url.URL) string {
	target := redactedPath(u.EscapedPath())
	mark := "?"
	for query := u.RawQuery; query != ""; {
		end := strings.IndexAny(query, "&;")
		if end < 0 {
			end = len(query)
		}
		if pair := query[:end]; pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			if !isShown(name) {
				value = redacted
			}
			target += mark + printable(name) + "=" + printable(value)
		}
		if end == len(query) {
			break
		}
		mark, query = query[end:end+1], query[end+1:]
	}
	return target
}

// redactedPath hides the one kind of secret that travels in a path, and those
// that somebody puts into its parameters.
func redactedPath(path string) string {
	path = redact.Path(path)
	if before, _, found := strings.Cut(path, "/validation/"); found {
		return before + "/validation/" + redacted
	}
	return path
}

// printable escapes what would break the line.
func printable(s string) string {
	quoted := fmt.Sprintf("%q", s)
	return quoted[1 : len(quoted)-1]
}

// watchedWriter notes the status and the size of the answer.
type watchedWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *watchedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets the cloud reach the connection, which it resets for some faults.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
