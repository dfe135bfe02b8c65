// Package access decides who may ask the HTTP server for what: by a token, by the name
// that the server was called by, and by the page that a request comes from.
package access
