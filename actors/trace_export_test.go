package actors

// What is done for the traces of asks.
var (
	StartAsk   = startAsk
	StartFlush = startFlush
	Inject     = inject
	Extract    = extract
)
