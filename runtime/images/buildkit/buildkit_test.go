package buildkit

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protowire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a session over a pipe and returns an HTTP/2 client for the engine's end.
func open(t *testing.T, options SessionOptions) (*session, *http.Client, map[string][]string) {
	t.Helper()
	engine, ours := net.Pipe()
	var meta map[string][]string
	s, err := Open(context.Background(), func(_ context.Context, path, proto string, m map[string][]string) (net.Conn, error) {
		if path != "/session" || proto != "h2c" {
			t.Errorf("dialed %s %s", path, proto)
		}
		meta = m
		return ours, nil
	}, options)
	if err != nil {
		t.Fatal(err)
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: &protocols, DialContext: func(context.Context, string, string) (net.Conn, error) { return engine, nil }}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		tr.CloseIdleConnections()
		_ = engine.Close()
	})
	return s, &http.Client{Transport: tr}, meta
}

// call sends a unary gRPC request and returns the message and the status of the response.
func call(t *testing.T, c *http.Client, method string, body []byte) ([]byte, string) {
	t.Helper()
	resp, err := c.Post("http://session"+method, "application/grpc", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) >= 5 {
		if n := binary.BigEndian.Uint32(data[1:5]); int(n) != len(data)-5 {
			t.Fatalf("the prefix is %d, want %d", n, len(data)-5)
		}
		data = data[5:]
	}
	return data, resp.Trailer.Get("Grpc-Status")
}

func message(host string) []byte {
	msg := appendString(nil, 1, host)
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(msg))), msg...)
}

func TestSession(t *testing.T) {
	s, c, meta := open(t, SessionOptions{
		Account: func(_ context.Context, host string) (string, string, error) {
			if host != "us.icr.io" {
				return "", "", errors.New("unknown")
			}
			return "me", "secret", nil
		},
		Secrets: map[string][]byte{"token": []byte("hidden")},
		Dirs:    map[string][]File{},
	})
	if meta["X-Docker-Expose-Session-Uuid"][0] != s.ID || len(s.ID) != 32 || len(meta["X-Docker-Expose-Session-Grpc-Method"]) != 3 {
		t.Errorf("got %v, want the id %s of 32 digits, and three methods", meta, s.ID)
	}
	if got, status := call(t, c, methodHealth, message("")); status != "0" || !bytes.Equal(got, []byte{8, 1}) {
		t.Errorf("health: %v %s", got, status)
	}
	got, status := call(t, c, methodCredentials, message("us.icr.io"))
	var user, secret string
	_ = fields(got, func(num protowire.Number, _ uint64, v []byte) {
		if num == 1 {
			user = string(v)
		} else {
			secret = string(v)
		}
	})
	if status != "0" || user != "me" || secret != "secret" {
		t.Errorf("credentials: %q %q %s", user, secret, status)
	}
	if got, status := call(t, c, methodSecret, message("token")); status != ok || string(got[2:]) != "hidden" {
		t.Errorf("got the secret %q and status %s, want \"hidden\" and %s", got, status, ok)
	}
	for name, it := range map[string]struct {
		method string
		body   []byte
		status string
	}{
		"unknown host":   {methodCredentials, message("x"), "16"},
		"unknown method": {"/moby.filesync.v1.Auth/FetchToken", message("x"), "12"},
		"unknown secret": {methodSecret, message("other"), notFound},
		"no directories": {methodFiles, message("x"), unimplemented},
		"no agents":      {methodAgent, message("x"), unimplemented},
		"no message":     {methodCredentials, nil, "3"},
		"truncated":      {methodCredentials, message("us.icr.io")[:8], "3"},
		"too large":      {methodCredentials, []byte{0, 0x7f, 0xff, 0xff, 0xff}, "3"},
		"compressed":     {methodCredentials, []byte{1, 0, 0, 0, 0}, "3"},
		"no protobuf":    {methodCredentials, []byte{0, 0, 0, 0, 2, 0xff, 0xff}, "3"},
	} {
		if got, status := call(t, c, it.method, it.body); status != it.status || len(got) != 0 {
			t.Errorf("%s: status %s, %v", name, status, got)
		}
	}
}

func TestNoSession(t *testing.T) {
	_, err := Open(context.Background(), func(context.Context, string, string, map[string][]string) (net.Conn, error) {
		return nil, errors.New("unable to upgrade to h2c, received 404")
	}, SessionOptions{})
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Error(err)
	}
}

// sample returns a Status in BuildKit's encoding.
func sample() []byte {
	nested := func(b []byte, num protowire.Number, inner []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), inner)
	}
	when := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1700000000)
	v := appendString(appendString(nil, 1, "sha256:a"), 3, "[2/2] RUN make")
	v = protowire.AppendVarint(protowire.AppendTag(v, 4, protowire.VarintType), 1)
	v = appendString(nested(nested(v, 5, when), 6, when), 7, "exit code: 2")
	l := appendString(appendString(nil, 1, "sha256:a"), 4, "some\noutput")
	return nested(nested(nested(nil, 1, v), 2, []byte("status, left out")), 3, l)
}

func TestParse(t *testing.T) {
	s, err := Parse(sample())
	if err != nil || len(s.Vertexes) != 1 || len(s.Logs) != 1 {
		t.Fatalf("%+v %v", s, err)
	}
	v := s.Vertexes[0]
	if v.Digest != "sha256:a" || v.Name != "[2/2] RUN make" || !v.Cached || v.Started.Unix() != 1700000000 || v.Completed.IsZero() || v.Error != "exit code: 2" {
		t.Errorf("got %+v, want sha256:a '[2/2] RUN make', cached, started at 1700000000, completed with exit code 2", v)
	}
	if l := s.Logs[0]; l.Vertex != "sha256:a" || string(l.Data) != "some\noutput" {
		t.Errorf("got %+v, want two lines of sha256:a", l)
	}
	if _, err := Parse(sample()[:40]); err == nil {
		t.Error("a truncated message was accepted")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample())
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data)
		if err == nil && len(s.Vertexes)+len(s.Logs) > len(data) {
			t.Errorf("%d steps and logs from %d bytes", len(s.Vertexes)+len(s.Logs), len(data))
		}
	})
}
