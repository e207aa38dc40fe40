package persistencetest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence"
)

// ExerciseMembers checks every fact about a Members. open returns an empty one that is
// closed by the test's cleanup. It takes some MemberTTL, as ExerciseLeases does, and
// fails on a machine that stands still for a third of one.
func ExerciseMembers(t *testing.T, open func(t *testing.T) persistence.Members) {
	t.Helper()
	begin := func(t *testing.T) *memberExercise {
		t.Helper()
		return &memberExercise{T: t, Members: open(t)}
	}
	run(t, begin, []fact[*memberExercise]{
		{"NobodyIsThereAtFirst", nobodyAtFirst},
		{"MembersSeeEachOther", membersSeeEachOther},
		{"MemberThatLeavesIsGoneAtOnce", leaverGone},
		{"LateBeatAddsNoLeaver", lateBeatAddsNobody},
		{"BeatKeepsAMember", beatKeeps},
		{"SilentMemberIsEvicted", silentEvicted},
		{"NobodyIsEvictedWhenAllWereSilent", allSilent},
		{"ChangesAreTold", changesTold},
	})
}

// memberExercise is the checking of one fact.
type memberExercise struct {
	*testing.T
	persistence.Members
}

// newMember returns a member that nobody else is, as long as one may be.
func newMember() string { return uuid.NewString() + strings.Repeat("é", 490) }

// join adds a new member.
func (x *memberExercise) join() string {
	x.Helper()
	member := newMember()
	x.seen(x.Join(x.Context(), member))
	return member
}

// seen fails unless the membership came without an error and the caller is in it.
func (x *memberExercise) seen(m persistence.Membership, err error) []string {
	x.Helper()
	require.NoError(x, err)
	require.False(x, m.Evicted)
	return m.Members
}

// look returns the membership that somebody sees who is not a member.
func (x *memberExercise) look() persistence.Membership {
	x.Helper()
	m, err := x.Look(x.Context())
	require.NoError(x, err)
	require.False(x, m.Evicted)
	return m
}

// beatUntil lets the member beat until what it finds is as wanted, and returns that.
func (x *memberExercise) beatUntil(member string, wanted func(persistence.Membership) bool) (m persistence.Membership) {
	x.Helper()
	require.Eventually(x, func() bool {
		found, err := x.Heartbeat(x.Context(), member)
		if err != nil || found.Evicted || !wanted(found) {
			return false
		}
		m = found
		return true
	}, 2*persistence.MemberTTL+patience, tick)
	return m
}

func nobodyAtFirst(x *memberExercise) {
	m := x.look()
	require.Empty(x, m.Members)
	require.Less(x, m.Since, persistence.MemberTTL)
}

func membersSeeEachOther(x *memberExercise) {
	first, second := x.join(), x.join()
	both := []string{min(first, second), max(first, second)}
	require.Equal(x, both, x.seen(x.Heartbeat(x.Context(), first)))
	require.Equal(x, both, x.seen(x.Heartbeat(x.Context(), second)))
	require.Equal(x, both, x.seen(x.Join(x.Context(), second)), "idempotent")
	require.Equal(x, both, x.look().Members)
}

func leaverGone(x *memberExercise) {
	first, second := x.join(), x.join()
	for range 2 { // idempotent
		require.NoError(x, x.Leave(x.Context(), first))
	}
	require.Equal(x, []string{second}, x.seen(x.Heartbeat(x.Context(), second)))
	require.Equal(x, []string{min(first, second), max(first, second)}, x.seen(x.Join(x.Context(), first)))
}

func lateBeatAddsNobody(x *memberExercise) {
	stays, leaves := x.join(), x.join()
	require.NoError(x, x.Leave(x.Context(), leaves))
	m, err := x.Heartbeat(x.Context(), leaves)
	require.NoError(x, err)
	require.Equal(x, []string{stays}, m.Members)
	require.True(x, m.Evicted)
	require.Equal(x, []string{stays}, x.look().Members)
}

func beatKeeps(x *memberExercise) {
	member := x.join()
	joined := time.Now()
	m := x.beatUntil(member, func(persistence.Membership) bool { return time.Since(joined) > persistence.MemberTTL+blur })
	require.Equal(x, []string{member}, m.Members)
	require.GreaterOrEqual(x, m.Since, persistence.MemberTTL)
	require.Equal(x, []string{member}, x.look().Members)
}

func silentEvicted(x *memberExercise) {
	silent, beats := x.join(), x.join()
	joined := time.Now()
	m := x.beatUntil(beats, func(m persistence.Membership) bool { return len(m.Members) == 1 })
	require.Equal(x, []string{beats}, m.Members)
	require.GreaterOrEqual(x, time.Since(joined), persistence.MemberTTL-2*tick)
	require.GreaterOrEqual(x, m.Since, persistence.MemberTTL-2*tick, "the machine stood still")
	for range 2 {
		m, err := x.Heartbeat(x.Context(), silent)
		require.NoError(x, err)
		require.True(x, m.Evicted)
		require.Equal(x, []string{beats}, m.Members, "it is not added again")
	}
	again := x.join()
	require.Equal(x, []string{min(again, beats), max(again, beats)}, x.look().Members)
}

func allSilent(x *memberExercise) {
	first, second := x.join(), x.join()
	require.Eventually(x, func() bool { return len(x.look().Members) == 0 }, persistence.MemberTTL+patience, tick)
	m, err := x.Heartbeat(x.Context(), first)
	require.Equal(x, []string{first}, x.seen(m, err))
	require.Less(x, m.Since, persistence.MemberTTL, "the other may only not have come back yet")
	require.Equal(x, []string{min(first, second), max(first, second)}, x.seen(x.Heartbeat(x.Context(), second)))
}

func changesTold(x *memberExercise) {
	changes := x.Changes(x.Context())
	member := newMember()
	join := func() { x.seen(x.Join(x.Context(), member)) }
	leave := func() { require.NoError(x, x.Leave(x.Context(), member)) }
	told := func() bool {
		select {
		case <-changes:
			return true
		default:
			return false
		}
	}
	require.Eventually(x, func() bool { join(); leave(); return told() }, patience, tick, "it does not listen")
	for _, change := range []func(){join, leave} {
		for told() { // what came before
		}
		change()
		require.Eventually(x, told, patience, time.Millisecond)
	}
}
