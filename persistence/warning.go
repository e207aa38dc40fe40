package persistence

import "log/slog"

// Warning is a problem that lasts for many calls, and is logged when it begins.
type Warning struct{ text string }

// Set logs err, unless it is nil or was the last one.
func (w *Warning) Set(log *slog.Logger, message string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != w.text {
		log.Warn(message, "error", err)
	}
	w.text = text
}
