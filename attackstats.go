package wallarm

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// AttackSchema is what queries of an account can be made of.
type AttackSchema struct {
	SelectFields []SelectField `json:"select_fields"`
	GroupFields  []GroupField  `json:"group_by_fields"`
	// StatsFields are what widgets can be grouped by.
	StatsFields []StatsField   `json:"stats_group_by_fields"`
	WhereFields []WhereField   `json:"where_fields"`
	Presets     []SchemaPreset `json:"grouping_presets"`
	Extra       Extra          `json:",embed"`
}

// MarshalJSON writes the schema: the members with a value, and all that no field is for.
func (a AttackSchema) MarshalJSON() ([]byte, error) {
	type plain AttackSchema
	return wire.MarshalEcho(plain(a))
}

// UnmarshalJSON reads a schema and keeps unknown members.
func (a *AttackSchema) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, a) }

// UnmarshalJSONFrom reads a schema and keeps unknown members.
func (a *AttackSchema) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain AttackSchema
	return wire.UnmarshalDecode(d, (*plain)(a))
}

// SelectField is a column to show.
type SelectField struct {
	Name  AttackColumn `json:"name"`
	Label string       `json:"label"`
	Type  ColumnType   `json:"type"`
	// Category is aggregate for metrics.
	Category string `json:"category,omitempty"`
	Sortable bool   `json:"sortable"`
	Extra    Extra  `json:",embed"`
}

// GroupField is a column to group by.
type GroupField struct {
	Name      AttackColumn     `json:"name"`
	Label     string           `json:"label"`
	Type      ColumnType       `json:"type"`
	Operators []AttackOperator `json:"operators"`
	Extra     Extra            `json:",embed"`
}

// StatsField is a column to group widgets by.
type StatsField struct {
	Name    AttackColumn   `json:"name"`
	Label   string         `json:"label"`
	Type    ColumnType     `json:"type"`
	Options []SchemaOption `json:"options,omitzero"`
	Extra   Extra          `json:",embed"`
}

// WhereField is a column to filter by.
type WhereField struct {
	Name        AttackColumn     `json:"name"`
	Label       string           `json:"label"`
	Type        ColumnType       `json:"type"`
	Description string           `json:"description,omitempty"`
	Operators   []AttackOperator `json:"operators"`
	// Options are the values of a column with fixed values.
	Options []SchemaOption `json:"options"`
	// Default says that the Console shows the filter without being asked; it is no value.
	Default bool `json:"default"`
	// KeyValue describes a column that needs a key, such as context_param.
	KeyValue *KeyValueField `json:"key_value,omitzero"`
	Extra    Extra          `json:",embed"`
}

// KeyValueField describes the keys of a column that needs one.
type KeyValueField struct {
	KeyLabel   string         `json:"key_label"`
	ValueLabel string         `json:"value_label"`
	KeyOptions []SchemaOption `json:"key_options"`
	Extra      Extra          `json:",embed"`
}

// SchemaOption is a value and its readable form. The value is a text even where the column holds numbers.
type SchemaOption struct {
	Value string `json:"value"`
	Label string `json:"label"`
	Extra Extra  `json:",embed"`
}

// SchemaPreset is a ready-made grouping.
type SchemaPreset struct {
	Value       AttackPreset `json:"value"`
	Label       string       `json:"label"`
	Description string       `json:"description,omitempty"`
	Extra       Extra        `json:",embed"`
}

// ColumnType is the type of a column's values. New ones may appear.
type ColumnType string

const (
	ColumnString   ColumnType = "string"
	ColumnInteger  ColumnType = "integer"
	ColumnFloat    ColumnType = "float"
	ColumnDate     ColumnType = "date"
	ColumnKeyValue ColumnType = "key_value"
)

// Schema returns what queries can be made of. It differs from account to account.
//
// GET /v1/client/{client_id}/attack-vectors/security-agg/query/schema. Replay class: read.
func (s *AttackVectorsService) Schema(ctx context.Context, opts ...CallOption) (*AttackSchema, error) {
	a, err := s.withClient(ctx, nil, opts)
	if err != nil {
		return nil, err
	}
	return get[AttackSchema](ctx, s.client, vectorsSchema, a, opts)
}

// WidgetType is the form of a widget.
type WidgetType string

const (
	// WidgetValue is one number.
	WidgetValue WidgetType = "single_value"
	// WidgetTimeseries is a line over time; it is grouped by a time bucket.
	WidgetTimeseries WidgetType = "timeseries"
	WidgetTopList    WidgetType = "top_list"
	WidgetPieChart   WidgetType = "pie_chart"
)

// Widget is one question to [AttackVectorsService.Stats].
type Widget struct {
	Type WidgetType `json:"type"`
	// Field is the metric to show.
	Field AttackColumn `json:"field"`
	// GroupBy is what to divide it by: required for all types but WidgetValue, a time bucket for WidgetTimeseries.
	GroupBy AttackColumn `json:"group_by,omitzero"`
	// Limit is how many parts a top list or pie chart has, 5 by default.
	Limit int `json:"limit,omitzero"`
	// Title names the widget: answers are found by type and title.
	Title string `json:"title,omitzero"`
}

// AttackStatsQuery is what [AttackVectorsService.Stats] is asked.
type AttackStatsQuery struct {
	Period  AttackPeriod `json:"time_range,omitzero"`
	Where   AttackWhere  `json:"where,omitzero"`
	Widgets []Widget     `json:"widgets"`
}

func (q *AttackStatsQuery) validate() error {
	if len(q.Widgets) == 0 {
		return invalid("widgets", "there are none")
	}
	type key struct {
		kind  WidgetType
		title string
	}
	seen := make(map[key]bool, len(q.Widgets))
	for i, w := range q.Widgets {
		switch {
		case w.Type == "" || w.Field == "":
			return invalid("widgets", "widget %d lacks its type or field", i)
		case w.GroupBy == "" && w.Type != WidgetValue:
			return invalid("widgets", "widget %d, a %s, must be grouped", i, w.Type)
		case w.Limit < 0:
			return invalid("widgets", "widget %d has a negative limit", i)
		case seen[key{w.Type, w.Title}]:
			return invalid("widgets", "widget %d has the type and title of another: their answers could not be told apart", i)
		}
		seen[key{w.Type, w.Title}] = true
	}
	if err := q.Period.validate(); err != nil {
		return err
	}
	return checkWhere(q.Where)
}

// AttackStats are the answers to widgets.
type AttackStats struct {
	Widgets []WidgetData `json:"widgets"`
	Extra   Extra        `json:",embed"`
}

// MarshalJSON writes the statistics: the members with a value, and all that no field is for.
func (a AttackStats) MarshalJSON() ([]byte, error) {
	type plain AttackStats
	return wire.MarshalEcho(plain(a))
}

// UnmarshalJSON reads statistics and keeps unknown members.
func (a *AttackStats) UnmarshalJSON(data []byte) error { return wire.Unmarshal(data, a) }

// UnmarshalJSONFrom reads statistics and keeps unknown members.
func (a *AttackStats) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	type plain AttackStats
	return wire.UnmarshalDecode(d, (*plain)(a))
}

// Widget returns the answer to the widget of a type and title, nil if there is none: the API may leave widgets out.
func (s *AttackStats) Widget(kind WidgetType, title string) *WidgetData {
	for i := range s.Widgets {
		if w := &s.Widgets[i]; w.Type == kind && w.Title == title {
			return w
		}
	}
	return nil
}

// WidgetData is the answer to a widget.
type WidgetData struct {
	Type  WidgetType    `json:"type"`
	Title string        `json:"title,omitempty"`
	Data  []WidgetPoint `json:"data"`
	Extra Extra         `json:",embed"`
}

// WidgetPoint is one number of a widget.
type WidgetPoint struct {
	Label string `json:"label"`
	// Key is the value behind the label, good for a condition; "" for the total.
	Key   string  `json:"key"`
	Value float64 `json:"value"`
	// Percentage is the part of the whole, in top lists and pie charts only.
	Percentage *float64 `json:"percentage,omitzero"`
	Extra      Extra    `json:",embed"`
}

// Stats answers several widgets at once.
//
// POST /v1/client/{client_id}/attack-vectors/security-agg/stats. Replay class: read.
func (s *AttackVectorsService) Stats(ctx context.Context, query AttackStatsQuery, opts ...CallOption) (*AttackStats, error) {
	if err := query.validate(); err != nil {
		return nil, err
	}
	a, err := s.withClient(ctx, query, opts)
	if err != nil {
		return nil, err
	}
	return get[AttackStats](ctx, s.client, vectorsStats, a, opts)
}
