package compat

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	wallarm "github.com/wallarm/wallarm-go"
)

func TestModes(t *testing.T) {
	w := newWorld(t)
	mode, err := w.api.WallarmModeRead(client)
	require.NoError(t, err)
	require.Equal(t, "default", mode.Body.Mode)
	mode, err = w.api.WallarmModeUpdate(&wallarm.WallarmModeParams{Mode: "safe_blocking"}, client)
	require.NoError(t, err)
	require.Equal(t, "safe_blocking", mode.Body.Mode)
	mode, err = w.api.WallarmModeRead(client)
	require.NoError(t, err)
	require.Equal(t, "safe_blocking", mode.Body.Mode)
	rules, err := w.api.HintRead(&wallarm.HintRead{
		Filter: &wallarm.HintFilter{Clientid: []int{client}, Type: []string{"wallarm_mode"}}, OrderBy: "id", Limit: 10,
	})
	require.NoError(t, err)
	require.Len(t, *rules.Body, 1, "the global mode is a rule of the platform")
	require.True(t, (*rules.Body)[0].System)
	require.Equal(t, "safe_blocking", (*rules.Body)[0].Mode)
	_, err = w.api.WallarmModeUpdate(&wallarm.WallarmModeParams{Mode: "nonsense"}, client)
	status(t, http.StatusBadRequest, err)
}

func TestOverlimit(t *testing.T) {
	w := newWorld(t)
	before, err := w.api.OverlimitResSettingsRead(client)
	require.NoError(t, err)
	require.Equal(t, wallarm.OverlimitResSettingsParams{OverlimitTime: 1000, Mode: "monitoring"}, before.Body)
	want := wallarm.OverlimitResSettingsParams{OverlimitTime: 1500, Mode: "blocking"}
	changed, err := w.api.OverlimitResSettingsUpdate(&want, client)
	require.NoError(t, err)
	require.Equal(t, want, changed.Body)
	after, err := w.api.OverlimitResSettingsRead(client)
	require.NoError(t, err)
	require.Equal(t, want, after.Body)
}

func TestRulesSettings(t *testing.T) {
	w := newWorld(t)
	before, err := w.api.RulesSettingsRead(client)
	require.NoError(t, err)
	require.Equal(t, client, before.Body.ClientID)
	changed, err := w.api.RulesSettingsUpdate(&wallarm.RuleSettingsParams{
		MinLomFormat: ptr(54), MaxLomFormat: before.Body.MaxLomFormat, LomCompilationDelay: ptr(30), RulesSnapshotEnabled: ptr(false),
	}, client)
	require.NoError(t, err)
	require.Equal(t, 54, *changed.Body.MinLomFormat)
	require.Equal(t, 30, *changed.Body.LomCompilationDelay)
	_, err = w.api.RulesSettingsUpdate(&wallarm.RuleSettingsParams{HeavyLom: ptr(true)}, client)
	require.NoError(t, err)
	after, err := w.api.RulesSettingsRead(client)
	require.NoError(t, err)
	require.Nil(t, after.Body.MinLomFormat, "the client always sends the formats, and null resets them")
	require.Equal(t, 30, *after.Body.LomCompilationDelay, "what is left out is kept")
	require.True(t, *after.Body.HeavyLom)
}

func TestCredentialStuffing(t *testing.T) {
	w := newWorld(t)
	for _, kind := range []string{"default", "custom"} {
		_, err := w.api.HintCreate(&wallarm.ActionCreate{
			Type: "credentials_regex", Clientid: client, Action: scope(), Regex: "pass", LoginRegex: "user", CredStuffType: kind, CaseSensitive: ptr(false),
		})
		require.NoError(t, err)
	}
	configs, err := w.api.CredentialStuffingConfigsRead(client)
	require.NoError(t, err)
	require.Len(t, configs, 2)
	require.Equal(t, "default", configs[0].CredStuffType)
	require.Equal(t, "user", configs[1].LoginRegex)
}

func TestAPIDiscovery(t *testing.T) {
	w := newWorld(t)
	config, err := w.api.APIDiscoveryConfigRead(client)
	require.NoError(t, err)
	require.True(t, config.Enabled)
	require.Equal(t, 0.5, config.TypeDetectionThreshold)
	require.Equal(t, 50000, config.CallPointsStorageLimit)
	config.ClientID = client
	config.DisabledApps = []int{42}
	config.Protocols.SOAP = false
	config.EndpointStability.MinCount = 3
	require.NoError(t, w.api.APIDiscoveryConfigUpdate(client, config))
	after, err := w.api.APIDiscoveryConfigRead(client)
	require.NoError(t, err)
	after.ClientID = client
	require.Equal(t, config, after)
}
