package client

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strconv"

	"trainbooking.dev/booking"
)

// list is a page of a list, as the API sends it.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

// pageOf returns the page of what shape makes of each item.
func pageOf[Doc, Out any](shape func(Doc) (Out, error)) func(list[Doc]) (booking.Page[Out], error) {
	return func(l list[Doc]) (page booking.Page[Out], err error) {
		if l.Items == nil {
			return page, errors.New("a list without items")
		}
		if page.Next, err = booking.ParseCursor(l.NextCursor); err != nil {
			return page, err
		}
		page.Items = make([]Out, len(l.Items))
		for i, doc := range l.Items {
			if page.Items[i], err = shape(doc); err != nil {
				return booking.Page[Out]{}, err
			}
		}
		return page, nil
	}
}

// window adds to a query which items are wanted.
func window(query url.Values, page booking.PageRequest) url.Values {
	query.Set("limit", strconv.Itoa(page.Limit))
	if !page.After.IsZero() {
		query.Set("cursor", page.After.String())
	}
	return query
}

// fetch asks for one page; its Limit is 1 to booking.MaxPageLimit.
type fetch[T any] func(context.Context, booking.PageRequest) (booking.Page[T], error)

// paged answers a PageRequest of any size by as many requests as it takes. Nothing is on
// two pages, however the list changes meanwhile; what comes or goes may be missed.
func paged[T any](ctx context.Context, want booking.PageRequest, get fetch[T]) (booking.Page[T], error) {
	all := booking.Page[T]{Next: want.After}
	for left := want.Limit; ; left -= booking.MaxPageLimit {
		size := booking.MaxPageLimit
		if want.Limit > 0 {
			size = min(size, left)
		}
		page, err := get(ctx, booking.PageRequest{Limit: size, After: all.Next})
		if err != nil {
			return booking.Page[T]{}, err
		}
		all.Items, all.Next = append(all.Items, page.Items...), page.Next
		if page.Next.IsZero() || want.Limit > 0 && left <= size {
			return all, nil
		}
	}
}

// each goes through a list from page.After to its end, page.Limit items a request (0:
// booking.DefaultPageLimit). An error is the last that it yields.
func each[T any](ctx context.Context, page booking.PageRequest, get fetch[T]) iter.Seq2[T, error] {
	if page.Limit <= 0 {
		page.Limit = booking.DefaultPageLimit
	}
	page.Limit = min(page.Limit, booking.MaxPageLimit)
	return func(yield func(T, error) bool) {
		at := page
		for {
			got, err := get(ctx, at)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range got.Items {
				if !yield(item, nil) {
					return
				}
			}
			if at.After = got.Next; at.After.IsZero() {
				return
			}
		}
	}
}
