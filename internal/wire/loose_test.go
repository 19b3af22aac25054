package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLooseEnvelopes: an envelope with a question mark goes as far as the answer leads.
func TestLooseEnvelopes(t *testing.T) {
	for _, test := range []struct {
		envelope   Envelope
		data, want string
	}{
		{"body?", `{"status":200,"body":[1]}`, `[1]`},
		{"body?", `{"points":[1]}`, `{"points":[1]}`},
		{"body?", `[1]`, `[1]`},
		{"body?", `{"status":200,"body":null}`, `null`},
		{"body.object?", `{"body":{"object":{"a":1}}}`, `{"a":1}`},
		{"body.object?", `{"body":{"a":1}}`, `{"a":1}`},
		{"body.object?", `{"a":1}`, `{"a":1}`},
	} {
		opened, err := Open([]byte(test.data), test.envelope)
		require.NoError(t, err)
		require.Equal(t, test.want, string(opened.Payload), "%s in %s", test.envelope, test.data)
	}
	_, err := Open([]byte(`{"points":[1]}`), "body")
	require.ErrorIs(t, err, ErrNoPayload)
	_, err = Open([]byte(`{"body":`), "body?")
	require.Error(t, err)
}

func TestTheEndOfAPayloadIsFoundBehindOddStrings(t *testing.T) {
	for _, payload := range []string{
		`[""]`, `["\\"]`, `["\""]`, `["\\\""]`, `["\\\\","]"]`, `[{"]":"}"},"{[\"",[["\\\"]"]]]`, `{"a\"b":"\\","c":{"d":"\"}"}}`,
	} {
		answer, err := Open([]byte(`{"before":"\\\"","body":`+payload+`,"cursor":"next"}`), "body")
		require.NoError(t, err)
		require.Equal(t, payload, string(answer.Payload))
		require.Equal(t, "next", answer.Paging.Cursor)
		for cut := range len(payload) {
			_, err := Open([]byte(`{"body":`+payload[:cut]), "body")
			require.Error(t, err, "what breaks off is no payload")
		}
	}
}

func TestAListInAnotherEnvelope(t *testing.T) {
	for object, want := range map[string]string{
		`{"errors":[],"objects":[1,2]}`: `[1,2]`, `{"data":[],"cursor":"x"}`: `[]`, `{"objects":null}`: `null`, `{"data":{"objects":[1]}}`: `[1]`,
		`{"objects":null,"data":[1]}`: `[1]`, `{"data":[1],"objects":null}`: `[1]`, `{"objects":null,"data":{}}`: `null`,
		`{"id":1}`: `{"id":1}`, `{"id":1,"data":null}`: `{"id":1,"data":null}`, `{"id":1,"body":{"a":[1]}}`: `{"id":1,"body":{"a":[1]}}`, `{"objects":`: `{"objects":`,
	} {
		list, _ := ListIn([]byte(object), Paging{})
		require.Equal(t, want, string(list))
	}
	_, paging := ListIn([]byte(`{"body":{"objects":[1],"continuation":"next"},"total_count":5}`), Paging{Cursor: "kept"})
	require.Equal(t, "kept", paging.Cursor)
	require.Equal(t, "next", paging.Continuation)
	require.EqualValues(t, 5, *paging.TotalCount)
}
