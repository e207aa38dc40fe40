// Package openapi tests that api/openapi.yaml is good for the tools that read it: linters, and generators
// of clients. Package api tests that the service does what the document says.
//
// The client is written in TypeScript, in the directory client, with openapi-fetch and the types that
// openapi-typescript generates from the document.
package openapi
