package api

import "trainbooking.dev/booking"

// list is a page of a list; NextCursor is "" on the last one.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

func listOf[In, Out any](page booking.Page[In], shape func(In) Out) list[Out] {
	items := make([]Out, len(page.Items))
	for i, item := range page.Items {
		items[i] = shape(item)
	}
	return list[Out]{Items: items, NextCursor: page.Next.String()}
}

// page reads limit and cursor.
func (f *form) page() booking.PageRequest {
	page := booking.PageRequest{Limit: booking.DefaultPageLimit}
	if f.has("limit") {
		page.Limit = f.whole("limit", booking.MaxPageLimit)
	}
	text, _ := f.str("cursor")
	after, err := booking.ParseCursor(text)
	if err != nil {
		f.fault("cursor", "is not a cursor of this list")
	}
	page.After = after
	return page
}
