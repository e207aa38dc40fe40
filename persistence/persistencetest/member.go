package persistencetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence"
)

// ExerciseMembers tests a Members. open returns an empty one and closes it with t. The test takes
// a few times MemberTTL and fails if the machine pauses for a third of it.
func ExerciseMembers(t *testing.T, open func(t *testing.T) persistence.Members) {
	t.Helper()
	begin := func(t *testing.T) *memberExercise {
		t.Helper()
		return &memberExercise{T: t, Members: open(t)}
	}
	run(t, begin, []fact[*memberExercise]{
		{"NewStoreHasNoMembers", emptyAtFirst},
		{"MembersAreListedToEachOther", membersListed},
		{"LeaveRemovesAMember", leaveRemoves},
		{"HeartbeatAfterLeaveAddsNobody", heartbeatAfterLeave},
		{"HeartbeatKeepsAMember", heartbeatKeeps},
		{"SilentMemberIsEvicted", silentEvicted},
		{"NobodyIsEvictedWhenAllWereSilent", allSilent},
		{"NobodyIsEvictedWhenAllAreSilentAgain", allSilentAgain},
		{"DeadMemberIsNotKeptByLostHeartbeatsOfAnother", lostHeartbeats},
		{"ChangesAreSent", changesSent},
		{"EveryCallReadsTheSameClock", sameClock},
	})
}

// memberExercise is the fixture of a fact about a Members.
type memberExercise struct {
	*testing.T
	persistence.Members
}

// newMember returns a new member of almost the maximum length.
func newMember() string { return uuid.NewString() + strings.Repeat("é", 490) }

// join adds a new member.
func (x *memberExercise) join() string {
	x.Helper()
	member := newMember()
	x.members(x.Join(x.Context(), member))
	return member
}

// members checks that the caller is a member, and returns all members.
func (x *memberExercise) members(m persistence.Membership, err error) []string {
	x.Helper()
	require.NoError(x, err)
	require.False(x, m.Evicted)
	return m.Members
}

// list returns the result of ListMembers.
func (x *memberExercise) list() persistence.Membership {
	x.Helper()
	m, err := x.ListMembers(x.Context())
	require.NoError(x, err)
	require.False(x, m.Evicted)
	return m
}

// heartbeatUntil sends heartbeats until the membership is as wanted, and returns it.
func (x *memberExercise) heartbeatUntil(member string, wanted func(persistence.Membership) bool) (m persistence.Membership) {
	x.Helper()
	require.Eventually(x, func() bool {
		found, err := x.Heartbeat(x.Context(), member)
		if err != nil || found.Evicted || !wanted(found) {
			return false
		}
		m = found
		return true
	}, 2*persistence.MemberTTL+timeout, tick)
	return m
}

func emptyAtFirst(x *memberExercise) {
	m := x.list()
	require.Empty(x, m.Members)
	require.Less(x, m.Since, persistence.MemberTTL)
}

func membersListed(x *memberExercise) {
	first, second := x.join(), x.join()
	both := []string{min(first, second), max(first, second)}
	require.Equal(x, both, x.members(x.Heartbeat(x.Context(), first)))
	require.Equal(x, both, x.members(x.Heartbeat(x.Context(), second)))
	require.Equal(x, both, x.members(x.Join(x.Context(), second)), "idempotent")
	require.Equal(x, both, x.list().Members)
}

func leaveRemoves(x *memberExercise) {
	first, second := x.join(), x.join()
	for range 2 { // idempotent
		require.NoError(x, x.Leave(x.Context(), first))
	}
	require.Equal(x, []string{second}, x.members(x.Heartbeat(x.Context(), second)))
	require.Equal(x, []string{min(first, second), max(first, second)}, x.members(x.Join(x.Context(), first)))
}

func heartbeatAfterLeave(x *memberExercise) {
	other, leaver := x.join(), x.join()
	require.NoError(x, x.Leave(x.Context(), leaver))
	m, err := x.Heartbeat(x.Context(), leaver)
	require.NoError(x, err)
	require.Equal(x, []string{other}, m.Members)
	require.True(x, m.Evicted)
	require.Equal(x, []string{other}, x.list().Members)
}

func heartbeatKeeps(x *memberExercise) {
	member := x.join()
	joined := time.Now()
	m := x.heartbeatUntil(member, func(persistence.Membership) bool { return time.Since(joined) > persistence.MemberTTL+clockError })
	require.Equal(x, []string{member}, m.Members)
	require.GreaterOrEqual(x, m.Since, persistence.MemberTTL)
	require.Equal(x, []string{member}, x.list().Members)
}

func silentEvicted(x *memberExercise) {
	silent, active := x.join(), x.join()
	joined := time.Now()
	m := x.heartbeatUntil(active, func(m persistence.Membership) bool { return len(m.Members) == 1 })
	require.Equal(x, []string{active}, m.Members)
	require.GreaterOrEqual(x, time.Since(joined), persistence.MemberTTL-2*tick)
	require.GreaterOrEqual(x, m.Since, persistence.MemberTTL-2*tick, "the machine paused")
	for range 2 {
		m, err := x.Heartbeat(x.Context(), silent)
		require.NoError(x, err)
		require.True(x, m.Evicted)
		require.Equal(x, []string{active}, m.Members, "it is not added again")
	}
	again := x.join()
	require.Equal(x, []string{min(again, active), max(again, active)}, x.list().Members)
}

func allSilent(x *memberExercise) {
	first, second := x.join(), x.join()
	x.heartbeatUntil(first, func(m persistence.Membership) bool {
		x.members(x.Heartbeat(x.Context(), second))
		return m.Since > 2*persistence.MemberTTL+tick
	})
	x.silence()
	m, err := x.Heartbeat(x.Context(), first)
	require.Equal(x, []string{first}, x.members(m, err))
	require.Less(x, m.Since, persistence.MemberTTL, "the other has not rejoined yet")
	require.Equal(x, []string{min(first, second), max(first, second)}, x.members(x.Heartbeat(x.Context(), second)))
}

// allSilentAgain has a silence soon after the store was empty, which counts as a loss too.
func allSilentAgain(x *memberExercise) {
	first, second := x.join(), x.join()
	for range 2 {
		x.silence()
		for _, member := range []string{first, second} {
			m, err := x.Heartbeat(x.Context(), member)
			require.Equal(x, []string{min(first, second), max(first, second)}, x.members(m, err))
		}
	}
}

// silence waits until every heartbeat is older than MemberTTL.
func (x *memberExercise) silence() {
	x.Helper()
	begun := x.list().Now
	require.Eventually(x, func() bool { return x.list().Now.Sub(begun) > persistence.MemberTTL+tick }, persistence.MemberTTL+timeout, tick)
}

// lostHeartbeats sends every fourth heartbeat of a survivor into the void.
func lostHeartbeats(x *memberExercise) {
	dead, survivor := x.join(), x.join()
	joined := time.Now()
	due, n := joined, 0
	require.Eventually(x, func() bool {
		if time.Now().Before(due) {
			return false
		}
		due = due.Add(persistence.MemberTTL / 4)
		if n++; n%4 == 0 {
			return false
		}
		m, err := x.Heartbeat(x.Context(), survivor)
		members := x.members(m, err)
		return m.Since >= persistence.MemberTTL && !slices.Contains(members, dead)
	}, 2*persistence.MemberTTL+timeout, tick)
	require.GreaterOrEqual(x, time.Since(joined), persistence.MemberTTL-2*tick)
	m, err := x.Heartbeat(x.Context(), dead)
	require.NoError(x, err)
	require.True(x, m.Evicted)
}

func changesSent(x *memberExercise) {
	changes := x.Changes(x.Context())
	member := newMember()
	join := func() { x.members(x.Join(x.Context(), member)) }
	leave := func() { require.NoError(x, x.Leave(x.Context(), member)) }
	changed := func() bool {
		select {
		case <-changes:
			return true
		default:
			return false
		}
	}
	require.Eventually(x, func() bool { join(); leave(); return changed() }, timeout, tick, "it does not listen")
	for _, change := range []func(){join, leave} {
		for changed() { // previous changes
		}
		change()
		require.Eventually(x, changed, timeout, time.Millisecond)
	}
}

func sameClock(x *memberExercise) {
	const precision = time.Millisecond
	member := newMember()
	begun := time.Now()
	joined, err := x.Join(x.Context(), member)
	require.NoError(x, err)
	for _, call := range []func() (persistence.Membership, error){
		func() (persistence.Membership, error) { return x.Heartbeat(x.Context(), member) },
		func() (persistence.Membership, error) { return x.ListMembers(x.Context()) },
	} {
		m, err := call()
		require.NoError(x, err)
		passed := m.Now.Sub(joined.Now)
		require.GreaterOrEqual(x, passed, time.Duration(0))
		require.LessOrEqual(x, passed, time.Since(begun)+precision)
		require.NotZero(x, m.Now.Unix())
	}
}
