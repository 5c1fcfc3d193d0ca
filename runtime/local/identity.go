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

// keysFormat is the version of the client configuration format that the keys belong to. Configurations of format 0 used
// 'insecure' and a store without TLS, so another program that listened on the port could have received the keys. Keys
// of that format are therefore replaced.
const keysFormat = 1

// loadIdentity reads the credentials of the endpoint. It creates credentials at the first start and replaces those of
// an older format. Each credential is random with at least 128 bits. The formats are those that clients check:
// OpenWhisk's "uuid:key" and an access key of 20 capital letters and digits.
func loadIdentity(dir string) (Info, error) {
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
		user, _, _ := strings.Cut(i.APIKey, ":") // not secret; clients derive the names of their packages from its first characters
		i.APIKey = cmp.Or(user, uuid.NewString()) + ":" + rand.Text() + rand.Text() + rand.Text()[:12]
		i.Token = rand.Text() + rand.Text()
		i.AccessKey, i.SecretKey = "FN"+rand.Text()[:18], rand.Text()+rand.Text()[:14]
	}
	if i.ProxySecret == "" {
		i.ProxySecret = rand.Text()
	}
	return i, nil
}

// listen listens on the loopback interface: on the requested port, otherwise on the port of the last start, otherwise
// on a free port. It returns a fault.Conflict error if the port is in use.
func listen(requested, previous int, flag string) (net.Listener, error) {
	port := cmp.Or(requested, previous)
	if port == 0 {
		return listenFree()
	}
	l, err := listenOn(port)
	if err != nil {
		why := i18n.M("The local endpoint cannot listen on port {{.Port}}.", "Port", port)
		if who := portOwner(port); who != "" {
			why = i18n.M("Port {{.Port}} of the local endpoint is in use by process {{.Process}}.", "Port", port, "Process", who)
		}
		return nil, fault.New(fault.Conflict, why,
			i18n.M("Stop the program that uses the port, or specify another port with 'ibmcloud fn-runtime local start {{.Flag}} PORT'.", "Flag", flag)).Because(err)
	}
	return l, nil
}

// checkPorts returns a fault.Conflict error if a port of the endpoint is in use. previous is the port of the last
// start.
func (o Options) checkPorts(previous int) error {
	for _, p := range []struct {
		requested, previous int
		flag                string
	}{{o.Port, previous, "--port"}, {o.S3Port, 0, "--s3-port"}} {
		if p.requested == 0 && p.previous == 0 {
			continue
		}
		l, err := listen(p.requested, p.previous, p.flag)
		if err != nil {
			return err
		}
		_ = l.Close()
	}
	return nil
}

// listenPreferred listens on the port of the last start, or on a free port if that port is in use. It is for a port
// that its users query each time and do not store.
func listenPreferred(previous int) (net.Listener, error) {
	if previous != 0 {
		if l, err := listenOn(previous); err == nil {
			return l, nil
		}
	}
	return listenFree()
}

// listenFree listens on a free port from 20000 to 31999. This is below the range of ephemeral ports, which systems
// assign to other programs, so the port is likely to be free at the next start of the endpoint too. After 100 failed
// attempts it uses any free port.
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
