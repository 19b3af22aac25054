//go:build goexperiment.jsonv2 && !go1.27

package wire

// With GOEXPERIMENT=jsonv2, Go 1.26 puts its own draft of encoding/json/v2 in place of the JSON module that this SDK uses. The draft does not know
// the tag option "embed": it would compile, and lose every member that no struct has a field for. The next line stops the build instead. From
// Go 1.27 on the standard library knows the option, and nothing stands in the way.
var _ = wallarm_cannot_keep_unknown_members_with_the_jsonv2_experiment_of_Go_1_26
