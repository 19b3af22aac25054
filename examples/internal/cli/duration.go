package cli

import (
	"flag"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
)

// Duration defines a flag that takes a duration as ParseDuration reads it. Names in the usage stand in back quotes, as in package flag.
func Duration(flags *flag.FlagSet, name string, value time.Duration, usage string) *time.Duration {
	DurationVar(flags, &value, name, value, usage)
	return &value
}

// DurationVar is Duration for a variable of the caller.
func DurationVar(flags *flag.FlagSet, p *time.Duration, name string, value time.Duration, usage string) {
	*p = value
	flags.Var((*durationValue)(p), name, usage)
}

// durationValue is a duration as package flag wants it.
type durationValue time.Duration

func (d *durationValue) Set(text string) error {
	parsed, err := ParseDuration(text)
	if err == nil {
		*d = durationValue(parsed)
	}
	return err
}

func (d *durationValue) String() string { return time.Duration(*d).String() }

var (
	durationForm = regexp.MustCompile(`^[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w))+$`)
	durationPart = regexp.MustCompile(`([0-9.]+)([^0-9.]+)`)
)

// ParseDuration reads what time.ParseDuration reads, and days (d) of 24 hours and weeks (w) of seven days beside: 7d, 2w, 1d12h.
func ParseDuration(text string) (time.Duration, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	if !durationForm.MatchString(text) {
		return 0, fmt.Errorf("%q is no duration: want numbers with units, such as 90m, 24h, 7d or 2w", text)
	}
	var total time.Duration
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		number, unit, times := part[1], part[2], time.Duration(1)
		switch unit {
		case "d":
			unit, times = "h", 24
		case "w":
			unit, times = "h", 7*24
		}
		d, err := time.ParseDuration(number + unit)
		if err != nil || d > math.MaxInt64/times || total > math.MaxInt64-d*times {
			return 0, fmt.Errorf("%q is longer than a duration can be, which is about 292 years", text)
		}
		total += d * times
	}
	if strings.HasPrefix(text, "-") {
		total = -total
	}
	return total, nil
}
