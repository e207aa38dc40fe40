package api

import "trainbooking.dev/booking"

// listResponse is a page of a list. NextCursor is "" on the last page.
type listResponse[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
	Incomplete bool   `json:"incomplete,omitempty"`
}

func newListResponse[In, Out any](page booking.Page[In], convert func(In) Out) listResponse[Out] {
	items := make([]Out, len(page.Items))
	for i, item := range page.Items {
		items[i] = convert(item)
	}
	return listResponse[Out]{Items: items, NextCursor: page.Next.String(), Incomplete: page.Incomplete}
}

// page decodes limit and cursor.
func (d *decoder) page() booking.PageRequest {
	page := booking.PageRequest{Limit: booking.DefaultPageLimit}
	if d.has("limit") {
		page.Limit = d.int("limit", booking.MaxPageLimit)
	}
	text, _ := d.optionalString("cursor")
	after, err := booking.ParseCursor(text)
	if err != nil {
		d.fieldError("cursor", "is not a cursor of this list")
	}
	page.After = after
	return page
}
