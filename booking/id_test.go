package booking_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestSeatIDCarriesTrainAndNumber(t *testing.T) {
	t.Parallel()
	train := booking.NewTrainID()
	require.True(t, train.Valid())
	for _, n := range []int{1, 255, 256, booking.MaxCapacity} {
		seat := train.Seat(n)
		require.Equal(t, n, seat.Number())
		require.Equal(t, train, seat.Train())
		require.Equal(t, seat, train.Seat(n))
		parsed, err := booking.ParseSeatID(seat.String())
		require.NoError(t, err)
		require.Equal(t, seat, parsed)
		notATrain, err := booking.ParseTrainID(seat.String())
		require.NoError(t, err)
		require.False(t, notATrain.Valid())
	}
	none, err := booking.ParseSeatID(train.String())
	require.NoError(t, err)
	require.Zero(t, none.Number(), "no seat")
	require.False(t, booking.TrainID{}.Valid())
	require.Equal(t, "10d37399-0a4b-4b26-9e0c-6d1f7a3b0005", booking.TrainID(
		uuid.MustParse("10d37399-0a4b-4b26-9e0c-6d1f7a3b0000")).Seat(5).String())
}

func TestDerivedIDsAreStable(t *testing.T) {
	t.Parallel()
	train := booking.DerivedTrainID("one")
	require.True(t, train.Valid())
	require.Equal(t, train, booking.DerivedTrainID("one"))
	require.NotEqual(t, train, booking.DerivedTrainID("two"))

	hold := booking.DerivedHoldID(train, "one")
	require.Equal(t, train, hold.Train())
	require.Equal(t, hold, booking.DerivedHoldID(train, "one"))
	require.NotEqual(t, hold, booking.DerivedHoldID(train, "two"))
	require.NotEqual(t, hold, booking.DerivedHoldID(booking.DerivedTrainID("two"), "one"))

	id := booking.BookingIDOf(anna, hold)
	require.Equal(t, id, booking.BookingIDOf(anna, hold))
	require.NotEqual(t, id, booking.BookingIDOf(uuid.UUID{15: 2}, hold))
	require.NotEqual(t, id, booking.BookingIDOf(anna, booking.NewHoldID(train)))
}

func TestHoldIDCarriesItsTrain(t *testing.T) {
	t.Parallel()
	train := booking.NewTrainID()
	id := booking.NewHoldID(train)
	require.Equal(t, train, id.Train())
	require.NotEqual(t, id, booking.NewHoldID(train))
	require.Len(t, id.String(), 40)
	require.False(t, id.IsZero())
	require.True(t, booking.HoldID{}.IsZero())
}

func TestIDsAreTextInJSON(t *testing.T) {
	t.Parallel()
	type ids struct {
		Train booking.TrainID
		Seat  booking.SeatID
		Hold  booking.HoldID
	}
	train := booking.NewTrainID()
	want := ids{train, train.Seat(7), booking.NewHoldID(train)}
	text, err := json.Marshal(want)
	require.NoError(t, err)
	require.JSONEq(t, `{"Train":"`+want.Train.String()+`","Seat":"`+want.Seat.String()+
		`","Hold":"`+want.Hold.String()+`"}`, string(text))
	var got struct {
		Train booking.TrainID
		Hold  booking.HoldID
	}
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, want.Train, got.Train)
	require.Equal(t, want.Hold, got.Hold)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"Train":"x"}`), &got), booking.ErrMalformedID)
	require.ErrorIs(t, json.Unmarshal([]byte(`{"Hold":"x"}`), &got), booking.ErrMalformedID)
}

func TestMalformedIDsAreRefused(t *testing.T) {
	t.Parallel()
	id := "10d37399-0a4b-4b26-9e0c-6d1f7a3b0000"
	for _, s := range []string{
		"", " ", id[:35], id + "0", "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""),
		strings.Replace(id, "1", "g", 1), strings.Replace(id, "-", "0", 1), " " + id[1:],
	} {
		_, err := booking.ParseTrainID(s)
		require.ErrorIs(t, err, booking.ErrMalformedID, "train %q", s)
		_, err = booking.ParseSeatID(s)
		require.ErrorIs(t, err, booking.ErrMalformedID, "seat %q", s)
	}
	hold := booking.DerivedHoldID(booking.DerivedTrainID("one"), "one").String()
	for _, s := range []string{
		"", strings.Repeat("A", 40), hold[:39], hold + "A", hold + "=", hold[:39] + "+", hold[:39] + "é",
		hold[:20] + "\n" + hold[20:], hold + "\r\n", "\n" + hold, // base64 ignores them
	} {
		_, err := booking.ParseHoldID(s)
		require.ErrorIs(t, err, booking.ErrMalformedID, "hold %q", s)
	}
}

func FuzzParseTrainID(f *testing.F) {
	f.Add("10d37399-0a4b-4b26-9e0c-6d1f7a3b0000")
	f.Add("10D37399-0A4B-4B26-9E0C-6D1F7A3B0005")
	f.Add("{10d37399-0a4b-4b26-9e0c-6d1f7a3b00}")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := booking.ParseTrainID(s)
		if err != nil {
			require.ErrorIs(t, err, booking.ErrMalformedID)
			require.Zero(t, id)
			return
		}
		require.Equal(t, strings.ToLower(s), id.String(), "one id has one spelling but for case")
		if id.Valid() {
			require.Equal(t, id, id.Seat(1).Train())
		}
	})
}

func FuzzParseSeatID(f *testing.F) {
	f.Add("10d37399-0a4b-4b26-9e0c-6d1f7a3b0005")
	f.Add("00000000-0000-0000-0000-00000000ffff")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := booking.ParseSeatID(s)
		if err != nil {
			require.ErrorIs(t, err, booking.ErrMalformedID)
			require.Zero(t, id)
			return
		}
		require.Equal(t, strings.ToLower(s), id.String())
		require.Equal(t, id, id.Train().Seat(id.Number()))
	})
}

func FuzzParseHoldID(f *testing.F) {
	f.Add(booking.DerivedHoldID(booking.DerivedTrainID("one"), "one").String())
	f.Add("0QEhrFpDVkiup_cVHj8AAAAAAAAAAAAAAAAAAA\nAm")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := booking.ParseHoldID(s)
		if err != nil {
			require.ErrorIs(t, err, booking.ErrMalformedID)
			require.Zero(t, id)
			return
		}
		require.Equal(t, s, id.String(), "one id has one spelling")
	})
}
