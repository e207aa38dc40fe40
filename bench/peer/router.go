package main

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"
)

// maxStatic bounds the bodies of /static/N.
const maxStatic = 1 << 20

// handlers serve the API with a store.
type handlers struct {
	store  store
	tokens *tokens
	static sync.Map // the bodies of /static/N by N
}

func newRouter(s store, t *tokens) *echo.Echo {
	h := &handlers{store: s, tokens: t}
	e := echo.New()
	e.HTTPErrorHandler = writeError
	e.GET("/readyz", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
	e.PUT("/v1/trains/:id", h.putTrain)
	e.POST("/v1/holds", h.holdSome)
	e.GET("/train/get-trains/", h.search)
	e.POST("/train/book-ticket/", h.hold)
	e.POST("/train/confirm-booking/", h.confirm)
	e.GET("/train/view-bookings/", h.bookings)
	e.GET("/static/:size", h.sendStatic)
	return e
}

// sendStatic replies with as many bytes.
func (h *handlers) sendStatic(c echo.Context) error {
	text := c.Param("size")
	body, made := h.static.Load(text)
	if !made {
		size, err := strconv.Atoi(text)
		if err != nil || size < 0 || size > maxStatic {
			return echo.ErrNotFound
		}
		body, _ = h.static.LoadOrStore(text, bytes.Repeat([]byte("1"), size))
	}
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, body.([]byte)) //nolint:forcetypeassert // no other is stored
}

type problem struct {
	Code  string `json:"code"`
	Error string `json:"error"`
}

func writeError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status := http.StatusInternalServerError
	if known, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = known.Code
	} else if known, ok := errors.AsType[refusal](err); ok {
		status = known.status
	} else {
		c.Logger().Error(err)
	}
	_ = c.JSON(status, problem{Code: err.Error(), Error: err.Error()}) // fails if the client has closed the connection
}
