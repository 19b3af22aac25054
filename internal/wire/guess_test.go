package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGuessedEnvelope(t *testing.T) {
	t.Parallel()
	for answer, payload := range map[string]string{
		`{"status":200,"body":{"id":1}}`:  `{"id":1}`,
		`{"body":[1]}`:                    `[1]`,
		`{"data":[1],"next_cursor":null}`: `[1]`,
		`{"id":1,"body":"text"}`:          `{"id":1,"body":"text"}`,
		`{"status":200,"body":null}`:      `null`,
		`{"body":"text","uri":"/"}`:       `{"body":"text","uri":"/"}`,
		`[1]`:                             `[1]`,
		`{}`:                              `{}`,
		`{"data":{"body":1},"body":2,"more":false}`: `{"data":{"body":1},"body":2,"more":false}`,
	} {
		opened, err := Open([]byte(answer), "?")
		require.NoError(t, err, answer)
		require.JSONEq(t, payload, string(opened.Payload), answer)
	}
	for _, answer := range []string{``, `{"body":`, `{"body":1`, `{"body":1}}`} {
		_, err := Open([]byte(answer), "?")
		if answer == `{"body":1}}` {
			require.NoError(t, err, "what follows the answer is not looked at")
			continue
		}
		require.Error(t, err, answer)
	}
}
