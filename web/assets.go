package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// prefix begins the URLs of all files but index.html.
const prefix = "/assets/"

//go:embed app vendor
var embedded embed.FS

// contentTypes has the kinds of files that are served. Others, such as licences, are not.
var contentTypes = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
}

// asset is a file that index.html or a module loads.
type asset struct {
	*file
	plain string // its URL in the sources: /assets/views/search.js
	url   string // the same with the hash: /assets/views/search.2f1d….js
}

// readAssets returns every asset, in the order of their names.
func readAssets() []asset {
	var assets []asset
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		extension := path.Ext(name)
		contentType := contentTypes[extension]
		if err != nil || entry.IsDir() || contentType == "" {
			return err
		}
		content, err := embedded.ReadFile(name)
		if err != nil {
			return err
		}
		f := newFile(contentType, content)
		plain := prefix + strings.TrimPrefix(name, "app/")
		assets = append(assets, asset{f, plain, strings.TrimSuffix(plain, extension) + "." + f.hash[:12] + extension})
		return nil
	})
	if err != nil {
		panic(err) // it is in the binary
	}
	return assets
}

func newFile(contentType string, content []byte) *file {
	sum := sha256.Sum256(content)
	return &file{
		contentType: contentType,
		hash:        hex.EncodeToString(sum[:]),
		content:     content,
		compressed:  sync.OnceValue(func() []byte { return compress(content) }),
	}
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	z.Write(content) //nolint:errcheck // a buffer has no errors
	z.Close()        //nolint:errcheck // a buffer has no errors
	return b.Bytes()
}
