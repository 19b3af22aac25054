package wallarm

import (
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// notUTF8 has letters of both cases around the byte that is no text.
const notUTF8 = "aB\xffcD"

// TestNoTextBecomesAnother gives every method texts that are not UTF-8: in each of its arguments, and in each field of those that are structs. Whatever
// is sent then, no other text has taken their place.
func TestNoTextBecomesAnother(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{}`)
	})
	services, tried := reflect.ValueOf(*client), 0
	for i := range services.NumField() {
		service := services.Type().Field(i)
		if !service.IsExported() || service.Type.Kind() != reflect.Pointer {
			continue
		}
		for j := range service.Type.NumMethod() {
			method := services.Field(i).Method(j)
			name := service.Name + "." + service.Type.Method(j).Name
			if strings.Contains(name, "Watch") || strings.Contains(name, "Wait") {
				continue // which never end, and ask what others do
			}
			for at := 1; at < method.Type().NumIn(); at++ {
				if method.Type().IsVariadic() && at == method.Type().NumIn()-1 {
					continue // the options
				}
				for _, argument := range badTexts(method.Type().In(at)) {
					before := len(server.requests())
					_ = callWithFilter(t, method, at, argument)
					tried++
					for _, request := range server.requests()[before:] {
						require.True(t, isFaithful(request), "%s sent %s?%s %q", name, request.Path, request.Query, request.Body)
					}
				}
			}
		}
	}
	require.Greater(t, tried, 3000)
}

// badTexts returns values of a type that are full of texts that are not UTF-8, and for a struct also one for each field, in which only that is.
func badTexts(t reflect.Type) []reflect.Value {
	whole := reflect.New(t).Elem()
	spoil(whole, 0)
	values := []reflect.Value{whole}
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			value := reflect.New(t).Elem()
			if span := value.FieldByName("Time"); span.IsValid() && span.Type() == reflect.TypeFor[TimeRange]() {
				span.Set(reflect.ValueOf(Since(time.Unix(1785542400, 0)))) // which some lists must have
			}
			if t.Field(i).IsExported() {
				spoil(value.Field(i), 0)
				values = append(values, value)
			}
		}
	}
	return values
}

// spoil fills a value with texts that are not UTF-8, and with small numbers, wherever they have a place in it.
func spoil(v reflect.Value, depth int) {
	if depth > 6 {
		return
	}
	switch v.Type() {
	case reflect.TypeFor[Step]():
		v.Set(reflect.ValueOf(NamedStep("header", notUTF8)))
		return
	case reflect.TypeFor[Secret]():
		v.Set(reflect.ValueOf(SecretOf(notUTF8)))
		return
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(4102444800, 0)))
		return
	case reflect.TypeFor[Extra](), reflect.TypeFor[RawJSON]():
		return // raw values are the caller's own
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(notUTF8)
	case reflect.Int, reflect.Int64:
		v.SetInt(5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		spoil(v.Index(0), depth+1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		spoil(v.Elem(), depth+1)
	case reflect.Map:
		key, element := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		spoil(key, depth+1)
		spoil(element, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, element)
	case reflect.Struct:
		for i := range v.NumField() {
			// A Not within Not is refused.
			if field := v.Type().Field(i); field.IsExported() && (field.Name != "Not" || depth == 0) {
				spoil(v.Field(i), depth+1)
			}
		}
	}
}

// isFaithful reports whether a request holds no U+FFFD, in any of the ways in which it may be written.
func isFaithful(request sentRequest) bool {
	path, err := url.PathUnescape(request.Path)
	body, bodyErr := url.QueryUnescape(string(request.Body))
	query, queryErr := url.QueryUnescape(request.Query.Encode())
	all := path + query + string(request.Body) + body
	return err == nil && bodyErr == nil && queryErr == nil && !strings.Contains(all, "\ufffd") && utf8.ValidString(all)
}

// TestLettersBeyondASCII: ſ and the Kelvin sign become S and k in the other letter case, which is another name.
func TestLettersBeyondASCII(t *testing.T) {
	t.Parallel()
	client, server := newTestClient(t, jsonAnswer(`{"status":200,"body":[]}`))
	for _, letter := range []string{"ſ", "\u212a"} {
		_, err := Scope().Header("X-"+letter, "x").Conditions()
		require.ErrorIs(t, err, ErrInvalidArgument)
		_, err = ParseIPValue("country:" + letter + "E")
		require.ErrorIs(t, err, ErrInvalidArgument)
		_, err = client.Users.Me(t.Context(), WithHeader("X-"+letter, "x"))
		require.ErrorIs(t, err, ErrInvalidArgument)
	}
	require.Empty(t, server.requests())
}

// TestTextsThatAreNoUTF8: a payload holds whatever an attacker sent. In fields it reads as U+FFFD; members without a field keep it as it came.
func TestTextsThatAreNoUTF8(t *testing.T) {
	for _, text := range []string{"a\xffb", `a\ud800b`} {
		var hit Hit
		require.NoError(t, hit.UnmarshalJSON([]byte(`{"value":"`+text+`","no_field":"`+text+`"}`)))
		require.Equal(t, "a\ufffdb", hit.Value)
		require.Equal(t, `"`+text+`"`, string(hit.Extra["no_field"]))
	}
}
