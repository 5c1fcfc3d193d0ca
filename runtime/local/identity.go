package local

import (
	"cmp"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"fn-runtime/i18n"
	"fn-runtime/runtime/fault"
	"fn-runtime/runtime/local/internal/rest"
)

// keysFormat counts what configurations say about how the endpoint is reached. Those of format 0 said 'insecure' and
// had the store without TLS: whoever listened in its place could have the keys, which therefore ended with that format.
const keysFormat = 1

// identity reads the credentials of the endpoint, or makes them at its first start and once after an older format. Each
// is random, with at least 128 bits; the forms are those that clients check: OpenWhisk's "uuid:key" and an access key
// of 20 capital letters.
func identity(dir string) (Info, error) {
	i, err := readInfo(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Info{}, fault.New(fault.Invalid,
			i18n.M("The file '{{.File}}' of the local endpoint cannot be read.", "File", filepath.Join(dir, infoFile)),
			i18n.M("Remove the directory '{{.Dir}}' to start over. Everything deployed there is lost.", "Dir", dir)).Because(err)
	}
	if i.NamespaceID == "" {
		i.Namespace, i.NamespaceID, i.Bucket = rest.DefaultNamespace, uuid.NewString(), "lithops-local"
	}
	if i.Keys != keysFormat || i.APIKey == "" || i.Token == "" || i.AccessKey == "" || i.SecretKey == "" {
		i.Keys = keysFormat
		user, _, _ := strings.Cut(i.APIKey, ":") // no secret; clients name their packages by its first characters
		i.APIKey = cmp.Or(user, uuid.NewString()) + ":" + rand.Text() + rand.Text() + rand.Text()[:12]
		i.Token = rand.Text() + rand.Text()
		i.AccessKey, i.SecretKey = "FN"+rand.Text()[:18], rand.Text()+rand.Text()[:14]
	}
	if i.ProxySecret == "" {
		i.ProxySecret = rand.Text()
	}
	return i, nil
}

// listen opens a port on the loopback interface: the one asked for, else the one of the last start, else a free one.
func listen(asked, kept int, flag string) (net.Listener, error) {
	port := cmp.Or(asked, kept)
	if port == 0 {
		return listenFree()
	}
	l, err := listenOn(port)
	if err != nil {
		why := i18n.M("The local endpoint cannot listen on port {{.Port}}.", "Port", port)
		if who := holder(port); who != "" {
			why = i18n.M("Port {{.Port}} of the local endpoint is in use by process {{.Process}}.", "Port", port, "Process", who)
		}
		return nil, fault.New(fault.Conflict, why,
			i18n.M("Stop the program that uses the port, or specify another port with 'ibmcloud fn-runtime local start {{.Flag}} PORT'.", "Flag", flag)).Because(err)
	}
	return l, nil
}

// portsFree reports as a fault a port that the endpoint would not get; kept is that of the last start.
func (o Options) portsFree(kept int) error {
	for _, p := range []struct {
		asked, kept int
		flag        string
	}{{o.Port, kept, "--port"}, {o.S3Port, 0, "--s3-port"}} {
		if p.asked == 0 && p.kept == 0 {
			continue
		}
		l, err := listen(p.asked, p.kept, p.flag)
		if err != nil {
			return err
		}
		_ = l.Close()
	}
	return nil
}

// listenAnew opens the port of the last start, or another one where somebody has it: whoever uses it asks for it each
// time.
func listenAnew(kept int) (net.Listener, error) {
	if kept != 0 {
		if l, err := listenOn(kept); err == nil {
			return l, nil
		}
	}
	return listenFree()
}

// listenFree opens a free port below those that systems give to connections and to whoever asks for any, so that it is
// still free when the endpoint is started the next time.
func listenFree() (net.Listener, error) {
	for range 100 {
		if l, err := listenOn(20_000 + mathrand.IntN(12_000)); err == nil {
			return l, nil
		}
	}
	return listenOn(0)
}

func listenOn(port int) (net.Listener, error) {
	return net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

func portOf(l net.Listener) int {
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}
