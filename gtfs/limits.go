package gtfs

// The bounds of a feed. A hostile one ends with an error within them. The largest feeds of single
// railways have 100 MB; those of whole countries, with every bus, have more, and --route-type selects
// the trains of them.
const (
	// MaxArchive is the largest ZIP file in bytes, which is also how much of standard input is stored.
	MaxArchive = 256 << 20
	// maxDirectory is how many bytes the directory of a ZIP file may have. It is read before anything is
	// known about the files, and takes up to ten times as much memory. A feed has about 20 entries of 70
	// bytes.
	maxDirectory = 1 << 20
	// maxText is how many bytes of text are read: ten times a feed of 200 MB.
	maxText = 2 << 30
	// maxRatio is how many times larger than in the archive a file may be, from minRatioText bytes on.
	// Timetables are 5 to 30 times as large, a ZIP bomb 1,000 times.
	maxRatio     = 200
	minRatioText = 1 << 20
	// maxRecord is the longest row in bytes. One quote that is missing would make a row of a whole file.
	maxRecord = 64 << 10
	// maxFaults is how many rows of a file may be wrong. Feeds have some such rows: of trips that were
	// removed, say.
	maxFaults = 10_000
	// maxID is the longest id in bytes. The ids of trips are in memory.
	maxID = 255
	// maxCalls is how many stop times of a trip are kept: enough to report that there are more than
	// booking.MaxStops.
	maxCalls = 1000
	// MaxTrains is how many trains a timetable may have, after trips were put together.
	MaxTrains = 400_000
	// maxDepartures is how many departures all frequencies together may have.
	maxDepartures = 200_000
)

// The names of the files, and how many rows they may have. A stop takes about 300 bytes of memory, a trip
// 250, a date 4. Rows of stop_times.txt take none by themselves: 20 million have about 1 GB of text.
const (
	agencyFile        = "agency.txt"
	stopsFile         = "stops.txt"
	routesFile        = "routes.txt"
	tripsFile         = "trips.txt"
	stopTimesFile     = "stop_times.txt"
	calendarFile      = "calendar.txt"
	calendarDatesFile = "calendar_dates.txt"
	frequenciesFile   = "frequencies.txt"
	feedInfoFile      = "feed_info.txt"
)

var maxRows = map[string]int{
	agencyFile:        10_000,
	stopsFile:         150_000,
	routesFile:        100_000,
	tripsFile:         400_000,
	stopTimesFile:     20_000_000,
	calendarFile:      50_000,
	calendarDatesFile: 5_000_000,
	frequenciesFile:   100_000,
	feedInfoFile:      100,
}
