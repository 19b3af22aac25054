package wallarm

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wallarm-sdk/wallarm/internal/wire"
)

// listBody is the body of the lists that take filter, order and page in one JSON object.
type listBody struct {
	Filter    any    `json:"filter"`
	Limit     int    `json:"limit,omitzero"`
	Offset    *int   `json:"offset,omitzero"`
	OrderBy   string `json:"order_by,omitzero"`
	OrderDesc *bool  `json:"order_desc,omitzero"`
	Paging    bool   `json:"paging,omitzero"`
	Cursor    string `json:"cursor,omitzero"`
}

// offsetBody is the body for a page of an offset list, ordered by the caller's choice or by column.
func offsetBody(filter any, page PageOptions, column string, descending bool) listBody {
	b := listBody{Filter: filter, Limit: page.Limit, Offset: &page.Offset, OrderBy: page.OrderBy}
	if b.OrderBy == "" {
		b.OrderBy = column
	}
	if b.OrderBy != "" {
		descending = page.Order.desc(descending)
		b.OrderDesc = &descending
	}
	return b
}

// oneOrMany travels as a scalar if it holds one value, for filter fields whose scalar form is the better attested.
type oneOrMany[T any] []T

func (v oneOrMany[T]) MarshalJSONTo(e *jsontext.Encoder) error {
	if len(v) == 1 {
		return wire.MarshalEncode(e, v[0])
	}
	return wire.MarshalEncode(e, []T(v))
}
