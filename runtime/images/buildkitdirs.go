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

// buildKitDirs returns the directories that BuildKit requests: the context and the Dockerfile. The Dockerfile may be
// outside the context and is not part of the image. If a file cannot be read, its error is passed to fail. key
// identifies the context, so that BuildKit keeps separate copies of different contexts.
func (f *buildContext) buildKitDirs(fail func(error)) (dirs map[string][]buildkit.File, key string, err error) {
	abs, err := filepath.Abs(f.dir)
	if err != nil {
		return nil, "", err
	}
	context := make([]buildkit.File, 0, len(f.entries))
	sent := map[string]bool{".": true}
	for _, e := range f.entries {
		missing, err := f.missingParents(path.Dir(e.name), sent)
		if err != nil {
			return nil, "", err
		}
		for _, e := range append(missing, e) {
			file, err := fileOf(filepath.Join(f.dir, filepath.FromSlash(e.name)), e, fail)
			if err != nil {
				return nil, "", err
			}
			context, sent[e.name] = append(context, file), true
		}
	}
	context = f.extra.insert(context)
	info, err := os.Stat(f.dockerfile)
	if err != nil {
		return nil, "", readFault(f.dockerfile, err)
	}
	dockerfile, err := fileOf(f.dockerfile, entry{filepath.Base(f.dockerfile), info}, fail)
	sum := sha256.Sum256([]byte(abs))
	return map[string][]buildkit.File{"context": context, "dockerfile": {dockerfile}}, hex.EncodeToString(sum[:]), err
}

// missingParents returns the excluded directories above an entry, which must be sent with the entry, outermost first.
func (f *buildContext) missingParents(dir string, sent map[string]bool) ([]entry, error) {
	if sent[dir] {
		return nil, nil
	}
	parents, err := f.missingParents(path.Dir(dir), sent)
	if err != nil {
		return nil, err
	}
	source := filepath.Join(f.dir, filepath.FromSlash(dir))
	info, err := os.Lstat(source)
	if err != nil {
		return nil, readFault(source, err)
	}
	return append(parents, entry{dir, info}), nil
}

// fileOf describes an entry. On Windows, which has no execute bit, all files are executable.
func fileOf(source string, e entry, fail func(error)) (buildkit.File, error) {
	mode := e.info.Mode()
	file := buildkit.File{Path: e.name, ModTime: e.info.ModTime().UnixNano()}
	switch {
	case mode&fs.ModeSymlink != 0:
		link, err := os.Readlink(source)
		if err != nil {
			return file, readFault(source, err)
		}
		file.Link = filepath.ToSlash(link)
	case mode.IsRegular():
		file.Size = e.info.Size()
		file.Open = func() (io.ReadCloser, error) {
			r, err := regular.Open(source)
			if err != nil {
				err = readFault(source, err)
				fail(err)
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

// maxSecret is BuildKit's limit for the size of a build secret, in bytes.
const maxSecret = 500 << 10

// secrets reads the values of the secrets before the build starts.
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
