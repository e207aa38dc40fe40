package client

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"strconv"
	"time"

	"trainbooking.dev/booking"
)

// list is a page of a list in a response.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
	Incomplete bool   `json:"incomplete"`
}

// errIncomplete is the cause of an error of an iteration.
var errIncomplete = errors.New("the list is incomplete")

// pageOf returns a function that converts each item of a list.
func pageOf[In, Out any](of booking.List, convert func(In) (Out, error)) func(list[In]) (booking.Page[Out], error) {
	return func(l list[In]) (page booking.Page[Out], err error) {
		if l.Items == nil {
			return page, errors.New("a list without items")
		}
		if page.Next, err = booking.ParseCursor(l.NextCursor, of); err != nil {
			return page, err
		}
		page.Incomplete = l.Incomplete
		page.Items = make([]Out, len(l.Items))
		for i, item := range l.Items {
			if page.Items[i], err = convert(item); err != nil {
				return booking.Page[Out]{}, err
			}
		}
		return page, nil
	}
}

// pageQuery adds limit and cursor of a list to a query.
func pageQuery(query url.Values, of booking.List, page booking.PageRequest) url.Values {
	query.Set("limit", strconv.Itoa(page.Limit))
	if !page.After.IsZero() {
		query.Set("cursor", page.After.In(of))
	}
	return query
}

// fetchPage requests one page. The limit must be 1 to booking.MaxPageLimit.
type fetchPage[T any] func(context.Context, booking.PageRequest) (booking.Page[T], error)

// fetchList fetches a page of any size in one or more requests. If the list changes between
// them, the result may miss a change but has no duplicates.
func fetchList[T any](ctx context.Context, want booking.PageRequest, fetch fetchPage[T]) (booking.Page[T], error) {
	all := booking.Page[T]{Next: want.After}
	at := want
	for remaining := want.Limit; ; remaining -= booking.MaxPageLimit {
		at.Limit, at.After = booking.MaxPageLimit, all.Next
		if want.Limit > 0 {
			at.Limit = min(at.Limit, remaining)
		}
		page, err := fetch(ctx, at)
		if err != nil {
			return booking.Page[T]{}, err
		}
		all.Items, all.Next = append(all.Items, page.Items...), page.Next
		all.Incomplete = all.Incomplete || page.Incomplete
		if page.Next.IsZero() || want.Limit > 0 && remaining <= at.Limit {
			return all, nil
		}
	}
}

// fetchEach iterates over a list from page.After to its end, with page.Limit items per
// request (0: booking.DefaultPageLimit). It stops after it yields an error. An incomplete page is
// an error, because a missing item would look deleted.
func fetchEach[T any](ctx context.Context, page booking.PageRequest, fetch fetchPage[T]) iter.Seq2[T, error] {
	if page.Limit <= 0 {
		page.Limit = booking.DefaultPageLimit
	}
	page.Limit = min(page.Limit, booking.MaxPageLimit)
	return func(yield func(T, error) bool) {
		at := page
		for {
			got, err := fetch(ctx, at)
			if got.Incomplete {
				err = booking.Unavailable(booking.OutcomeNotExecuted, time.Second, errIncomplete)
			}
			if err != nil {
				var zero T
				yield(zero, err)
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
