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

// LoadOptions says where the client would look for its configuration.
type LoadOptions struct {
	File    string              // given by the user; "" searches
	Getenv  func(string) string // an empty variable counts as unset
	Home    string
	WorkDir string
	Version string // of the installed Lithops; "" follows the newest
	// Pipes remembers what a file that is a pipe held, which a command may load several times; nil reads it each time.
	Pipes *regular.PipeCache
}

// Config is the configuration that the client would load. It may be absent: see Found.
type Config struct {
	source    string
	data      []byte // the text
	root      *pyyaml.Node
	version   string
	inWorkDir bool
}

// workDirConfig is the file in the working folder that the client takes before the user's own.
const workDirConfig = ".lithops_config"

// environmentSource is the variable that may hold the whole configuration, and then its Source.
const environmentSource = "LITHOPS_CONFIG"

// globalConfig is the last place that the client looks at, from 2.8.0 on (constants.py: CONFIG_FILE_GLOBAL).
const globalConfig = "/etc/lithops/config"

// Load reads the configuration that the client would read: the file given; LITHOPS_CONFIG, the whole configuration as
// JSON; the file that LITHOPS_CONFIG_FILE names; .lithops_config in the working directory; ~/.lithops/config;
// /etc/lithops/config (config.py: load_config). That none of them exists is no error.
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
		return &Config{version: o.Version}, nil // gone since it was found
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

// read reads a file that was found, or one that the user named, which may be a pipe.
func (o LoadOptions) read(path, named string) ([]byte, error) {
	if named == "" {
		return regular.Read(path, pyyaml.MaxSize)
	}
	return o.Pipes.Read(path, pyyaml.MaxSize)
}

// find returns the file and, when the user named it, with what.
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

// absolute expands "~" and makes a path absolute against a folder.
func absolute(path, home, dir string) string {
	if path == "~" || strings.HasPrefix(path, "~/") || strings.HasPrefix(path, `~\`) {
		return filepath.Join(home, path[1:])
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// with finishes the loading: root is what was parsed, or err what is wrong.
func (c *Config) with(root *pyyaml.Node, err error) (*Config, error) {
	if at, ok := errors.AsType[*document.Error](err); ok {
		return nil, fault.New(fault.Invalid,
			i18n.M("The Lithops configuration is malformed: {{.What}} ({{.Place}}).", "What", at.Reason, "Place", location(c.source, at.Line, at.Column)),
			i18n.M("Fix the syntax; 'ibmcloud fn-runtime lithops-config -b local' prints a working configuration."))
	}
	if err != nil {
		return nil, err
	}
	if root.Empty() { // as for the client: no configuration
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

// exists reports whether there is a configuration. The client runs in its localhost mode without one.
func (c *Config) exists() bool { return c.root != nil }

// Source is where the configuration came from: a path, or LITHOPS_CONFIG; "" when there is no such place.
func (c *Config) Source() string { return c.source }

// InWorkDir reports whether the configuration was found in the working folder, without the user having named it. The home
// folder is the user's own.
func (c *Config) InWorkDir() bool { return c.inWorkDir }

// HasMaskedSecrets reports whether a secret was left out of the configuration when it was printed.
func (c *Config) HasMaskedSecrets() bool { return c.root.Contains(Masked) }

// Backend is lithops.backend or, where only a mode is given, the backend of that mode's section, as releases before
// 2.3.5 want it; "localhost" in that mode; else the default of the release; "" when there is no configuration.
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

// defaultBackend is what a release takes when a configuration names none (constants.py: SERVERLESS_BACKEND_DEFAULT,
// STANDALONE_BACKEND_DEFAULT); "" from 3.1.1 on, where it is one of another cloud.
func defaultBackend(mode string, r release) string {
	switch {
	case !r.before(3, 1, 1):
		return ""
	case mode == "standalone":
		return "ibm_vpc"
	}
	return string(IBMCF)
}

// StorageBackend is lithops.storage or the client's default: ibm_cos up to 3.1.0, aws_s3 later; "" when there is no
// configuration at all.
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

// plain is an error of the file system without the path, which the sentence around it names.
func plain(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
