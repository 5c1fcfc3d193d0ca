package plugin

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/IBM-Cloud/ibm-cloud-cli-sdk/bluemix/configuration/config_helpers"
	"github.com/IBM-Cloud/ibm-cloud-cli-sdk/bluemix/configuration/core_config"
	sdk "github.com/IBM-Cloud/ibm-cloud-cli-sdk/plugin"

	"fn-runtime/commands"
	"fn-runtime/i18n"
	"fn-runtime/runtime/connect"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/regular"
	"fn-runtime/runtime/transport"
)

// host holds the settings from the environment and from the configuration of the CLI.
type host struct {
	connect.Host
	texts *i18n.Catalog
	color string // "true", "false" or ""
	trace string // "true", a file, or ""
}

// maxConfig is the maximum size of the configuration of the CLI in bytes.
const maxConfig = 16 << 20

// readHost reads the configuration of the CLI. If the file does not exist, the plug-in runs standalone without a
// session. readHost validates the file before it calls the SDK, because the SDK overwrites a missing or unreadable
// file. If session is false, readHost does not read the file.
func readHost(session bool) (h *host, err error) {
	h = &host{}
	h.Getenv = os.Getenv
	h.Version = Version
	h.Home, _ = os.UserHomeDir()
	h.WorkDir, _ = os.Getwd()
	h.Executable, _ = os.Executable()
	h.StateDir = config_helpers.PluginDir(commands.Name)
	h.color = cmp.Or(os.Getenv("IBMCLOUD_COLOR"), os.Getenv("BLUEMIX_COLOR"))
	h.trace = cmp.Or(os.Getenv("IBMCLOUD_TRACE"), os.Getenv("BLUEMIX_TRACE"))
	h.texts = i18n.New(i18n.Pick("", os.Getenv))
	h.HTTPTimeout = httpTimeout(os.Getenv)
	h.Pipes = &regular.PipeCache{}
	h.Retries = transport.NewBudget(seconds(os.Getenv("FN_RUNTIME_RETRY_SECONDS")))

	if !session {
		return h, nil
	}
	file := config_helpers.ConfigFilePath()
	data, readErr := regular.Read(file, maxConfig)
	switch {
	case errors.Is(readErr, fs.ErrNotExist) || readErr == nil && len(data) == 0:
		return h, nil
	case readErr != nil:
		return h, configError(fault.Invalid, file, readErr.Error())
	case !json.Valid(data):
		return h, configError(fault.Invalid, file, "it is not valid JSON")
	case core_config.NewBXConfigData().Unmarshal(data) != nil: // the error of the SDK would expose values
		return h, configError(fault.Invalid, file, "it contains a value of the wrong type")
	}
	defer recoverConfigError(file, &err)
	return h, h.fill(sdk.InitPluginContext(commands.Name))
}

// fill sets the settings and the session from the context of the SDK.
func (h *host) fill(c sdk.PluginContext) error {
	h.texts = i18n.New(i18n.Pick(c.Locale(), os.Getenv))
	h.color, h.trace = c.ColorEnabled(), c.Trace()
	h.StateDir = c.PluginDirectory()
	h.SkipTLSVerify = c.IsSSLDisabled()
	if s := c.HTTPTimeout(); s > 0 && h.HTTPTimeout == 0 {
		h.HTTPTimeout = time.Duration(s) * time.Second
	}
	h.Session = newSession(c, h)
	return nil
}

// httpTimeout returns the value of IBMCLOUD_HTTP_TIMEOUT, which is in seconds. It returns 0 if the variable is not set
// or invalid.
func httpTimeout(getenv func(string) string) time.Duration {
	return seconds(cmp.Or(getenv("IBMCLOUD_HTTP_TIMEOUT"), getenv("BLUEMIX_HTTP_TIMEOUT")))
}

// seconds parses a number of seconds from 0 to one day. It returns 0 if the number is invalid.
func seconds(text string) time.Duration {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 24*60*60 {
		return 0
	}
	return time.Duration(n) * time.Second
}

func configError(kind fault.Kind, file, why string) error {
	return fault.New(kind,
		i18n.M("The configuration of the IBM Cloud CLI in {{.File}} cannot be read: {{.Why}}.", "File", file, "Why", why),
		i18n.M("Move the file away, then log in again with 'ibmcloud login'."))
}

// absolute returns the absolute path of a trace file. It does not depend on later changes of the working directory.
func absolute(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}
