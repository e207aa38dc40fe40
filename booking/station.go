package booking

// Station is a station where trains call.
type Station struct {
	Name   string `json:"name"` // as most of the trains spell it
	Trains int    `json:"trains"`
}

// MaxSuggestions is how many stations are suggested at most.
const MaxSuggestions = 10
