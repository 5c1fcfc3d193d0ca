package images

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"fn-runtime/i18n"
	"fn-runtime/runtime/entity"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/images/buildkit"
	"fn-runtime/runtime/regular"
)

// offer returns the folders that BuildKit asks for: the context, and the Dockerfile, which need not be in the context and
// does not come into the image. broken is told which file cannot be read. key names the context, so that BuildKit keeps
// its copies of different folders apart.
func (f *folder) offer(broken func(error)) (folders map[string][]buildkit.File, key string, err error) {
	abs, err := filepath.Abs(f.dir)
	if err != nil {
		return nil, "", err
	}
	context := make([]buildkit.File, 0, len(f.entries))
	sent := map[string]bool{".": true}
	for _, e := range f.entries {
		missing, err := f.parents(path.Dir(e.name), sent)
		if err != nil {
			return nil, "", err
		}
		for _, e := range append(missing, e) {
			file, err := fileOf(filepath.Join(f.dir, filepath.FromSlash(e.name)), e, broken)
			if err != nil {
				return nil, "", err
			}
			context, sent[e.name] = append(context, file), true
		}
	}
	context = f.added.among(context)
	info, err := os.Stat(f.dockerfile)
	if err != nil {
		return nil, "", unreadable(f.dockerfile, err)
	}
	dockerfile, err := fileOf(f.dockerfile, entry{filepath.Base(f.dockerfile), info}, broken)
	sum := sha256.Sum256([]byte(abs))
	return map[string][]buildkit.File{"context": context, "dockerfile": {dockerfile}}, hex.EncodeToString(sum[:]), err
}

// parents returns the folders above an entry that are left out themselves and must be sent for its sake, outermost first.
func (f *folder) parents(dir string, sent map[string]bool) ([]entry, error) {
	if sent[dir] {
		return nil, nil
	}
	above, err := f.parents(path.Dir(dir), sent)
	if err != nil {
		return nil, err
	}
	on := filepath.Join(f.dir, filepath.FromSlash(dir))
	info, err := os.Lstat(on)
	if err != nil {
		return nil, unreadable(on, err)
	}
	return append(above, entry{dir, info}), nil
}

// fileOf describes an entry; on Windows, which has no execute bit, everything is executable.
func fileOf(source string, e entry, broken func(error)) (buildkit.File, error) {
	mode := e.info.Mode()
	file := buildkit.File{Path: e.name, ModTime: e.info.ModTime().UnixNano()}
	switch {
	case mode&fs.ModeSymlink != 0:
		link, err := os.Readlink(source)
		if err != nil {
			return file, unreadable(source, err)
		}
		file.Link = filepath.ToSlash(link)
	case mode.IsRegular():
		file.Size = e.info.Size()
		file.Open = func() (io.ReadCloser, error) {
			r, err := regular.Open(source)
			if err != nil {
				err = unreadable(source, err)
				broken(err)
				return nil, err
			}
			return r, nil
		}
	}
	if runtime.GOOS == "windows" {
		mode |= 0o755
	}
	file.Mode = uint32(mode)
	return file, nil
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
				return nil, fault.New(fault.Invalid, i18n.M("The variable {{.Variable}} for the secret {{.ID}} is not set.", "Variable", s.Env, "ID", s.ID),
					i18n.M("Set it, or specify a file: 'id={{.ID}},src=FILE'.", "ID", s.ID))
			}
			values[s.ID] = []byte(value)
			continue
		}
		data, err := regular.Read(s.File, maxSecret)
		if err != nil {
			return nil, fault.New(fault.Invalid, i18n.M("The secret {{.ID}} cannot be read: {{.Error}}.", "ID", s.ID, "Error", err),
				i18n.M("Specify a file of at most 500 KiB or a variable: 'id={{.ID}},src=FILE' or 'id={{.ID}},env=VARIABLE'.", "ID", s.ID)).Because(err)
		}
		values[s.ID] = data
	}
	return values, nil
}
