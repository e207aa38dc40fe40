package operator

// Wanted and WantedSchedule are wanted of the two kinds, and DescribeDays is describeDays.
var (
	Wanted         = trains{}.wanted
	WantedSchedule = schedules{}.wanted
	DescribeDays   = describeDays
)
