// Package root has the files that every image contains besides its program.
//
// There is no base image, because the programs are static and bring their time zones. So an image
// contains nothing that somebody else must update, and the same commit makes the same image.
package root

import (
	"bytes"
	"encoding/pem"
	"io/fs"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// File is a file or a directory of root.
type File struct {
	Path    string      // without a slash in front
	Mode    fs.FileMode // with the type
	Content []byte
}

// Files returns the files, each directory before what it contains.
func Files() []File {
	return []File{
		{Path: "etc", Mode: fs.ModeDir | 0o755},
		{Path: "etc/ssl", Mode: fs.ModeDir | 0o755},
		{Path: "etc/ssl/certs", Mode: fs.ModeDir | 0o755},
		{Path: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644, Content: certificates()},
		{Path: "etc/group", Mode: 0o644, Content: []byte("root:x:0:\nnonroot:x:65532:\n")},
		{Path: "etc/passwd", Mode: 0o644, Content: []byte("root:x:0:0:root:/:/sbin/nologin\n" +
			"nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{Path: "tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777},
	}
}

// certificates returns Mozilla's certificate authorities. Some are trusted only for some names or
// dates, which the file cannot say; it leaves them out.
func certificates() []byte {
	var file bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&file, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a Buffer does not fail
		}
	}
	return file.Bytes()
}
