package actors_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
)

var fuzzedTrain = booking.DerivedTrainID("fuzzed")

// Every call of a peer either fails to decode or has a response that can be encoded.
func FuzzOperations(f *testing.F) {
	const train, user = `"00000000-0000-4000-8000-000000000000"`, `"6f9a1c1e-6a0e-4d0c-9a53-0d3c6f0a7e11"`
	id := `"` + fuzzedTrain.String() + `"`
	for _, seed := range []string{
		`{}`, `null`, `[]`, ``, `{"Trains":[` + id + `,` + train + `],"From":"Delhi","To":"Nowhere"}`, `{"Trains":[null]}`,
		`{"Put":{}}`, `{"Deleted":{}}`, `{"Put":{"ID":` + train + `,"Name":"a","Capacity":-1,"Stops":[]}}`, `{"Deleted":{"ID":` + train + `}}`,
		`{"Train":` + id + `,"Command":"hold","Left":1000000000,"Body":{"Request":{"User":` + user + `,"Seats":[1,1,-1,99999]}}}`,
		`{"Train":` + id + `,"Command":"hold","Left":1000000000,"Body":{"User":` + user + `,"Count":-5}}`,
		`{"Train":` + id + `,"Command":"confirm","Left":1000000000,"Body":{"Seat":70000}}`,
		`{"Train":` + id + `,"Command":"release","Left":1000000000,"Body":null}`,
		`{"Train":` + id + `,"Command":"cancel","Left":1000000000,"Body":{}}`,
		`{"Train":` + id + `,"Command":"query","Left":1000000000,"Body":{"From":"Delhi","To":"Delhi","Seats":true}}`,
		`{"Train":` + id + `,"Command":"dance","Left":-1,"Age":9223372036854775807,"Body":[]}`,
	} {
		for _, name := range actors.Operations() {
			if name != "hello" { // which calls Redis
				f.Add(name, []byte(seed))
			}
		}
	}
	system := startFuzzed(f)
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		known := false
		for _, n := range actors.Operations() {
			known = known || n == name && n != "hello"
		}
		if !known {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		response, err := actors.Operate(ctx, system, name, body)
		if err == nil {
			require.True(t, json.Valid(response))
		}
	})
}

// startFuzzed starts a System with one train.
func startFuzzed(f *testing.F) *actors.System {
	f.Helper()
	system := start(f, openStores(f), rules)
	_, _, err := system.PutTrain(f.Context(), booking.Train{
		ID: fuzzedTrain, Name: "a", Capacity: 10, OnSale: true, Stops: []booking.Stop{{Station: "Delhi"}, {Station: "Mumbai"}},
	})
	require.NoError(f, err)
	return system
}

// Every response of a peer is an error or a value.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"Value":null}`, `{"Value":{}}`, `{"Value":{"Seats":[1],"Legs":1}}`, `{"Error":{}}`, `{"Error":null,"Value":1}`,
		`{"Error":{"Code":"seat_locked","BecomesFreeAt":"x"}}`, `{"Error":{"Code":"unavailable","RetryAfter":-1}}`, `{"Retry":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := actors.ReadResponse(body); err != nil {
			require.NotPanics(t, func() { _ = err.Error() })
		}
	})
}

// Every text is refused or is a member, and neither removes other members.
func FuzzMemberText(f *testing.F) {
	const self = "10.0.0.1:8090"
	f.Add(actors.MemberText(uuid.New(), "10.0.0.2:8090"))
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"id":""}`, `{"id":null,"address":1}`, `{"ID":"6f9a1c1e-6a0e-4d0c-9a53-0d3c6f0a7e11","Draining":true}`, `{"address":"x","draining":"no"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		serving, err := actors.ApplyMembership(self, actors.MemberText(uuid.New(), "10.0.0.3:8090"), text)
		if err != nil {
			require.ErrorContains(t, err, "is no member")
			return
		}
		require.Contains(t, serving, self)
		require.Contains(t, serving, "10.0.0.3:8090")
	})
}
