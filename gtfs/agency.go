package gtfs

import (
	"errors"
	"strings"
)

// agency is a company of the feed. Its times are in zone.
type agency struct {
	id, name, zone string
}

// agencies are those of a feed. A feed with one does not need ids.
type agencies struct {
	byID  map[string]*agency
	first *agency // in order of ids
}

func (r *reader) agencies() (*agencies, error) {
	t, err := r.required(agencyFile, "agency_timezone")
	if err != nil {
		return nil, err
	}
	defer t.close()
	id, name, zone := t.column("agency_id"), t.column("agency_name"), t.column("agency_timezone")
	all := &agencies{byID: map[string]*agency{}}
	for {
		more, err := t.next()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		a := &agency{id: t.id(id), name: tidy(t.get(name)), zone: strings.Clone(t.get(zone))}
		all.byID[a.id] = a
		if all.first == nil || a.id < all.first.id {
			all.first = a
		}
	}
	if all.first == nil {
		return nil, errors.New(agencyFile + " has no row, and so the times have no zone")
	}
	return all, nil
}

// of returns the agency of a route. All agencies of a feed have one time zone, so a route of an agency that
// is not there has the first one.
func (a *agencies) of(id string) *agency {
	if found, ok := a.byID[id]; ok {
		return found
	}
	return a.first
}

// source returns the name by which a later import recognises the trains of this feed.
func (a *agencies) source() string {
	if a.first.id == "" {
		return a.first.name
	}
	return a.first.id + " " + a.first.name
}
