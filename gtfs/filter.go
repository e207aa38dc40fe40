package gtfs

import "slices"

// Filter selects trips. An empty list selects all.
type Filter struct {
	RouteTypes []int
	// Agencies and Routes have ids or names.
	Agencies, Routes []string
}

// IsZero reports whether the filter selects everything.
func (f *Filter) IsZero() bool { return len(f.RouteTypes)+len(f.Agencies)+len(f.Routes) == 0 }

func (f *Filter) selects(r *route) bool {
	return (len(f.RouteTypes) == 0 || slices.ContainsFunc(f.RouteTypes, func(t int) bool { return ofType(r.kind, t) })) &&
		(len(f.Agencies) == 0 || slices.Contains(f.Agencies, r.agency.id) || slices.Contains(f.Agencies, r.agency.name)) &&
		(len(f.Routes) == 0 || slices.ContainsFunc(r.keys(), func(key string) bool { return slices.Contains(f.Routes, key) }))
}

// ofType reports whether a route type is wanted, or is one of the extended types (100 to 1799) that divide
// the wanted basic type (0 to 12).
func ofType(kind, wanted int) bool { return kind == wanted || kind >= 100 && basicType(kind) == wanted }

// basicType returns the basic type of an extended route type, as Google's list of them groups these. It is
// -1 if there is none.
func basicType(kind int) int {
	switch kind / 100 {
	case 1:
		return 2 // railways
	case 2, 7:
		return 3 // coaches and buses
	case 4:
		return 1 // urban railways, metro
	case 8:
		return 11 // trolleybuses
	case 9:
		return 0 // trams
	case 10, 12:
		return 4 // ships and ferries
	case 13:
		return 6 // cable cars in the air
	case 14:
		return 7 // funiculars
	}
	return -1
}
