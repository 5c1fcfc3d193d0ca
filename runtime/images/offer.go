package images

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path/filepath"

	"github.com/tonistiigi/fsutil"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
)

// offer gives the folders that BuildKit asks for: the context, of which BuildKit itself leaves out what .dockerignore
// says, and the Dockerfile with its own .dockerignore, which need not be in the context and do not come into the image.
// broken is told which file cannot be read; BuildKit would take it for an empty one. key names the context.
func (f *folder) offer(broken func(error)) (folders map[string]fsutil.FS, key string, err error) {
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return nil, "", err
	}
	context, err := fsutil.NewFS(dir)
	if err != nil {
		return nil, "", unreadable(f.dir, err)
	}
	base := filepath.Base(f.dockerfile)
	beside, err := fsutil.NewFS(filepath.Dir(f.dockerfile))
	if err == nil {
		beside, err = fsutil.NewFilterFS(beside, &fsutil.FilterOpt{IncludePatterns: []string{base, base + ignoreFile}})
	}
	if err != nil {
		return nil, "", unreadable(f.dockerfile, err)
	}
	sum := sha256.Sum256([]byte(dir))
	return map[string]fsutil.FS{
		"context":    watched{context, dir, broken},
		"dockerfile": watched{beside, filepath.Dir(f.dockerfile), broken},
	}, hex.EncodeToString(sum[:]), nil
}

// watched is a folder that tells of a file that cannot be opened.
type watched struct {
	fsutil.FS
	dir    string
	broken func(error)
}

func (w watched) Open(name string) (io.ReadCloser, error) {
	r, err := w.FS.Open(name)
	if err != nil {
		w.broken(unreadable(filepath.Join(w.dir, filepath.FromSlash(name)), err))
	}
	return r, err
}

// maxSecret is the most that a secret of a build may hold, in bytes; BuildKit takes no more.
const maxSecret = 500 << 10

// secrets reads the values of the secrets, before anything is built.
func (b *Builder) secrets(specs []entity.BuildSecret) (map[string][]byte, error) {
	values := map[string][]byte{}
	for _, s := range specs {
		if s.Env == "" && s.File == "" {
			s.File = s.ID
			if b.o.Getenv(s.ID) != "" {
				s.Env = s.ID
			}
		}
		if s.Env != "" {
			value := b.o.Getenv(s.Env)
			if value == "" {
				return nil, fault.New(fault.Invalid, i18n.M("The variable {{.Variable}} of the secret {{.ID}} is not set.", "Variable", s.Env, "ID", s.ID),
					i18n.M("Set it, or give a file: 'id={{.ID}},src=FILE'.", "ID", s.ID))
			}
			values[s.ID] = []byte(value)
			continue
		}
		data, err := regular.Read(s.File, maxSecret)
		if err != nil {
			return nil, fault.New(fault.Invalid, i18n.M("The secret {{.ID}} cannot be read: {{.Error}}.", "ID", s.ID, "Error", err),
				i18n.M("Give a file of at most 500 KiB or a variable: 'id={{.ID}},src=FILE' or 'id={{.ID}},env=VARIABLE'.", "ID", s.ID)).Because(err)
		}
		values[s.ID] = data
	}
	return values, nil
}
