package lithops

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"fn-runtime/i18n"
	"fn-runtime/runtime/document"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/lithops/pyyaml"
	"fn-runtime/runtime/regular"
)

// LoadOptions specifies where to search for the configuration of the client.
type LoadOptions struct {
	File    string              // specified by the user; empty to search
	Getenv  func(string) string // an empty value means unset
	Home    string
	WorkDir string
	Version string // version of the installed Lithops; empty for the newest
	// Pipes caches the contents of files that are pipes, because a command may load the file several times. If Pipes is
	// nil, every load reads the file.
	Pipes *regular.PipeCache
}

// Config is the configuration that the client would load. There may be none: see exists.
type Config struct {
	source    string
	data      []byte // original text
	root      *pyyaml.Node
	version   string
	inWorkDir bool
}

// workDirConfig is the file in the working directory that takes precedence over the user's own configuration.
const workDirConfig = ".lithops_config"

// environmentSource is the environment variable that may contain the entire configuration. It is then the Source.
const environmentSource = "LITHOPS_CONFIG"

// globalConfig is the last file that the client tries, since 2.8.0 (constants.py: CONFIG_FILE_GLOBAL).
const globalConfig = "/etc/lithops/config"

// Load reads the configuration that the client would read. It uses the first of these (config.py: load_config):
//
//   - the specified file
//   - LITHOPS_CONFIG, which contains the entire configuration as JSON
//   - the file that LITHOPS_CONFIG_FILE names
//   - .lithops_config in the working directory
//   - ~/.lithops/config
//   - /etc/lithops/config
//
// It is not an error if none of them exists.
func Load(o LoadOptions) (*Config, error) {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	c := &Config{version: o.Version}
	if o.File == "" {
		if text := o.Getenv(environmentSource); text != "" {
			c.source, c.data = environmentSource, []byte(text)
			root, err := pyyaml.ParseJSON(c.data)
			return c.with(root, err)
		}
	}
	path, named := o.find()
	if path == "" {
		return c, nil
	}
	c.source, c.inWorkDir = path, named == "" && path == filepath.Join(o.WorkDir, workDirConfig) && o.WorkDir != o.Home
	data, err := o.read(path, named)
	switch {
	case errors.Is(err, fs.ErrNotExist) && named == "":
		return &Config{version: o.Version}, nil // deleted after it was found
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.Invalid,
			i18n.M("The Lithops configuration {{.Path}}, specified by {{.Named}}, does not exist.", "Path", path, "Named", named),
			i18n.M("Correct the path, or print a configuration with 'ibmcloud fn-runtime lithops-config -b local'.")).Because(err)
	case err != nil:
		return nil, fault.New(fault.Invalid,
			i18n.M("The Lithops configuration {{.Path}} cannot be read: {{.Error}}.", "Path", path, "Error", plain(err)),
			i18n.M("Check that you can read the file, or specify another one with '--config'.")).Because(err)
	}
	c.data = data
	root, err := pyyaml.Parse(data)
	return c.with(root, err)
}

// read reads the configuration file. A file that the user specified may be a pipe.
func (o LoadOptions) read(path, named string) ([]byte, error) {
	if named == "" {
		return regular.Read(path, pyyaml.MaxSize)
	}
	return o.Pipes.Read(path, pyyaml.MaxSize)
}

// find returns the configuration file and, if the user specified it, the option or variable that names it.
func (o LoadOptions) find() (path, named string) {
	if o.File != "" {
		return o.abs(o.File), "'--config'"
	}
	if p := o.Getenv("LITHOPS_CONFIG_FILE"); p != "" {
		return o.abs(p), "LITHOPS_CONFIG_FILE"
	}
	candidates := []string{filepath.Join(o.WorkDir, workDirConfig), filepath.Join(o.Home, ".lithops", "config")}
	r := parseRelease(o.Version)
	if r.before(2, 2, 14) {
		candidates = append(candidates, filepath.Join(o.Home, ".lithops_config"))
	}
	if !r.before(2, 8, 0) && runtime.GOOS != "windows" {
		candidates = append(candidates, globalConfig)
	}
	for _, p := range candidates {
		if _, err := os.Stat(p); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return p, ""
		}
	}
	return "", ""
}

func (o LoadOptions) abs(path string) string { return absolute(path, o.Home, o.WorkDir) }

// absolute expands "~" and resolves a relative path against a directory.
func absolute(path, home, dir string) string {
	if path == "~" || strings.HasPrefix(path, "~/") || strings.HasPrefix(path, `~\`) {
		return filepath.Join(home, path[1:])
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// with sets the parsed text of the configuration. It converts err, the error of the parser, to a fault.
func (c *Config) with(root *pyyaml.Node, err error) (*Config, error) {
	if at, ok := errors.AsType[*document.Error](err); ok {
		return nil, fault.New(fault.Invalid,
			i18n.M("The Lithops configuration is malformed: {{.What}} ({{.Place}}).", "What", at.Reason, "Place", location(c.source, at.Line, at.Column)),
			i18n.M("Fix the syntax; 'ibmcloud fn-runtime lithops-config -b local' prints a working configuration."))
	}
	if err != nil {
		return nil, err
	}
	if root.Empty() { // the client treats this as no configuration
		return c, nil
	}
	if root.Kind != pyyaml.Map {
		return nil, fault.New(fault.Invalid,
			i18n.M("The Lithops configuration contains no sections ({{.Place}}).", "Place", location(c.source, root.Line, 0)),
			i18n.M("Write sections such as 'lithops:' with the keys indented below; 'ibmcloud fn-runtime lithops-config -b local' prints an example."))
	}
	c.root = root
	return c, nil
}

// exists reports whether there is a configuration. Without one, the client runs in localhost mode.
func (c *Config) exists() bool { return c.root != nil }

// Source returns the path of the configuration, or LITHOPS_CONFIG. It returns "" if there is no configuration.
func (c *Config) Source() string { return c.source }

// InWorkDir reports whether the configuration was found in the working directory without being specified by the user.
// It returns false for the home directory.
func (c *Config) InWorkDir() bool { return c.inWorkDir }

// HasMaskedSecrets reports whether the configuration contains a secret that Document.Mask replaced.
func (c *Config) HasMaskedSecrets() bool { return c.root.Contains(Masked) }

// Backend returns lithops.backend. If only a mode is configured, it returns "localhost" for that mode, and otherwise
// the backend in the section of the mode, which releases before 2.3.5 use. If no backend is configured, it returns the
// default of the release. It returns "" if there is no configuration.
func (c *Config) Backend() (string, error) {
	if !c.exists() {
		return "", nil
	}
	r := c.reader("lithops")
	backend, mode := r.text("backend"), cmp.Or(r.text("mode"), "serverless")
	if backend == "" && mode == "localhost" {
		backend = mode
	}
	if backend == "" && r.err == nil {
		r = c.reader(mode)
		backend = r.text("backend")
	}
	return cmp.Or(backend, defaultBackend(mode, parseRelease(c.version))), r.err
}

// defaultBackend returns the backend that a release uses if none is configured (constants.py:
// SERVERLESS_BACKEND_DEFAULT, STANDALONE_BACKEND_DEFAULT). It returns "" from 3.1.1 on, where the default belongs to
// another cloud.
func defaultBackend(mode string, r release) string {
	switch {
	case !r.before(3, 1, 1):
		return ""
	case mode == "standalone":
		return "ibm_vpc"
	}
	return string(IBMCF)
}

// StorageBackend returns lithops.storage, or the default of the client: ibm_cos up to 3.1.0, aws_s3 later. It returns
// "" if there is no configuration.
func (c *Config) StorageBackend() (string, error) {
	if !c.exists() {
		return "", nil
	}
	r := c.reader("lithops")
	if name := r.text("storage"); name != "" || r.err != nil {
		return name, r.err
	}
	if parseRelease(c.version).before(3, 1, 1) {
		return "ibm_cos", nil
	}
	return "aws_s3", nil
}

// plain returns the message of a file system error without the path, for messages that already contain the path.
func plain(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
