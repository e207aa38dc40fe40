package api

import "trainbooking.dev/booking"

// Codes returns every code of the table, as often as it stands there.
func Codes() []booking.Code {
	codes := make([]booking.Code, len(meanings))
	for i, m := range meanings {
		codes[i] = m.code
	}
	return codes
}

// Object is a JSON object as a body is read.
type Object = object

// ParseObject reads a body.
func ParseObject(body []byte) (Object, error) { return parseObject(body) }

// Operation is an endpoint of the API, as openapi.yaml names it.
type Operation struct {
	Method, Path string
	Role         string // anyone, user, admin, train-admin
}

// Operations returns every endpoint, but not the pages.
func (s *Server) Operations() []Operation {
	roles := map[role]string{anyone: "anyone", user: "user", admin: "admin", trainAdmin: "train-admin"}
	var operations []Operation
	for _, rt := range s.routes {
		if rt.page == nil {
			operations = append(operations, Operation{rt.method, rt.path, roles[rt.role]})
		}
	}
	return operations
}
