package actionproxy_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// The table tests the conformance with the protocol: the responses of /run, and the content of the streams afterwards.
func TestRunTable(t *testing.T) {
	cases := []struct {
		name, code string
		body       any
		status     int
		want       string
		out, err   string // part of the stream
	}{
		{"result", "def main(a):\n return {'x': a['x'] + 1}", run(map[string]any{"x": 1}), 200, `{"x": 2}`, "", ""},
		{"empty result", "def main(a):\n return {}", run(none), 200, `{}`, "", ""},
		{"no value", "def main(a):\n return {'n': len(a)}", map[string]any{}, 200, `{"n": 0}`, "", ""},
		{"init env", "import os\ndef main(a):\n return {'e': os.environ['GIVEN'] + os.environ['NUMBER']}", run(none), 200, `{"e": "yes3"}`, "", ""},
		{"run env", "import os\ndef main(a):\n return {'e': os.environ['__OW_ACTIVATION_ID'] + os.environ['__OW_API_KEY']}", run(none), 200, `{"e": "abck"}`, "", ""},
		{"settings hidden", "import os\ndef main(a):\n return {'e': [k for k in os.environ if k.startswith('PROXY') or k == 'PORT']}", run(none), 200, `{"e": []}`, "", ""},
		{"unicode", "def main(a):\n print(a['s'])\n return {'s': a['s']}", run(map[string]any{"s": "héλ😀"}), 200, "", "héλ😀\n", ""},
		{"error result", "def main(a):\n return {'error': 'no'}", run(none), 200, `{"error": "no"}`, "", ""},
		{"list", "def main(a):\n return [1]", run(none), 502, `{"error": "The action did not return a dictionary."}`, "", ""},
		{"none", "def main(a):\n pass", run(none), 502, `{"error": "The action did not return a dictionary."}`, "", ""},
		{"not json", "def main(a):\n return {'x': object()}", run(none), 502, "", "", ""},
		{"nan", "def main(a):\n return {'x': float('nan')}", run(none), 502, "", "", ""},
		{"exception", "def main(a):\n raise ValueError('boom')", run(none), 502, `{"error": "ValueError: boom"}`, "", "ValueError: boom"},
		{"exit", "import sys\ndef main(a):\n sys.exit(3)", run(none), 502, `{"error": "SystemExit: 3"}`, "", ""},
		{"interrupt", "def main(a):\n raise KeyboardInterrupt", run(none), 502, `{"error": "KeyboardInterrupt: "}`, "", ""},
		{"recursion", "def main(a):\n return main(a)", run(none), 502, "", "", "RecursionError"},
		{"value a list", "def main(a):\n return {}", run([]int{1}), 404, `{"error": "The action did not receive a dictionary as an argument."}`, "", ""},
		{"message a list", "def main(a):\n return {}", "[1]", 404, "", "", ""},
		{"not JSON", "def main(a):\n return {}", "{", 404, "", "", ""},
		{"deep JSON", "def main(a):\n return {}", strings.Repeat("[", 200000), 404, "", "", ""},
		{"nul in a field", "def main(a):\n return {}", `{"a": "x\u0000y"}`, 502, "", "", "embedded null byte"},
		{"reads stdin", "import sys\ndef main(a):\n return {'in': sys.stdin.read()}", run(none), 200, `{"in": ""}`, "", ""},
		{"descriptor level output", "import os\ndef main(a):\n print('one', end='')\n import sys; sys.stdout.flush()\n os.write(1, b'two\\n'); os.system('echo three')\n return {}", run(none), 200, `{}`, "onetwo\nthree\n" + sentinel, ""},
		{"streams closed", "import os, sys\ndef main(a):\n sys.stdout.close(); os.close(2)\n return {}", run(none), 200, `{}`, sentinel, sentinel},
		{"streams replaced", "import io, os, sys\ndef main(a):\n sys.stdout = io.StringIO(); os.dup2(os.open(os.devnull, os.O_RDWR), 1)\n return {}", run(none), 200, `{}`, sentinel, ""},
		{"forked child returns", "import os\ndef main(a):\n pid = os.fork()\n if pid: return {'child': os.waitpid(pid, 0)[1]}\n return {'wrong': 1}", run(none), 200, `{"child": 0}`, "", ""},
		{"forked child exits", "import os, sys\ndef main(a):\n pid = os.fork()\n if pid: return {'child': os.waitpid(pid, 0)[1] >> 8}\n sys.exit(7)", run(none), 200, `{"child": 7}`, "", ""},
		{"multiprocessing", "import multiprocessing as mp\ndef f(q):\n print('from child', flush=True); q.put(5)\ndef main(a):\n ctx = mp.get_context('fork'); q = ctx.SimpleQueue(); p = ctx.Process(target=f, args=(q,)); p.start(); p.join()\n return {'x': q.get()}", run(none), 200, `{"x": 5}`, "from child\n" + sentinel, ""},
		{"spawned process", "import multiprocessing as mp\ndef f(n):\n return n * n\ndef main(a):\n with mp.get_context('spawn').Pool(1) as p: return {'x': p.map(f, [3])}", run(none), 200, `{"x": [9]}`, "", ""},
		{"terminated child", "import multiprocessing as mp, time\ndef main(a):\n p = mp.get_context('fork').Process(target=time.sleep, args=(60,)); p.start(); p.terminate(); p.join()\n return {'code': p.exitcode}", run(none), 200, `{"code": -15}`, "", ""},
		{"running thread", "import threading, time\ndef main(a):\n threading.Thread(target=time.sleep, args=(60,)).start()\n return {}", run(none), 200, `{}`, "", ""},
		{"large", "def main(a):\n return {'n': len(a['s'])}", run(map[string]any{"s": strings.Repeat("x", 20<<20)}), 200, `{"n": 20971520}`, "", ""},
	}
	eachPython(t, func(t *testing.T, python string) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				p := start(t, python)
				p.initSource(c.code)
				if got := p.read(p.out) + p.read(p.err); strings.Contains(got, sentinel) {
					t.Errorf("a sentinel after a successful /init, which OpenWhisk would take for the end of the run: %q", got)
				}
				for again := 1; again <= 2; again++ {
					status, body := p.post("/run", c.body)
					if status != c.status || c.want != "" && body != c.want {
						t.Fatalf("run %d: %d %s, want %d %s\n%s", again, status, body, c.status, c.want, p.read(p.err))
					}
					out, errs := p.read(p.out), p.read(p.err)
					if strings.Count(out, sentinel) != again || !strings.HasSuffix(out, sentinel) || !strings.Contains(out, c.out) {
						t.Errorf("stdout %q", out)
					}
					if strings.Count(errs, sentinel) != again || !strings.HasSuffix(errs, sentinel) || !strings.Contains(errs, c.err) {
						t.Errorf("stderr %q", errs)
					}
				}
			})
		}
	})
}

func TestFieldsOfARunDoNotReachTheNext(t *testing.T) {
	for _, python := range pythons(t) {
		p := start(t, python)
		p.initSource("import os\ndef main(a):\n return {'e': os.environ.get('__OW_EXTRA', '')}")
		p.post("/run", map[string]any{"extra": "secret"})
		if _, body := p.post("/run", map[string]any{}); body != `{"e": ""}` {
			t.Error(body)
		}
		return
	}
}

func TestHTTP(t *testing.T) {
	for _, python := range pythons(t) {
		p := start(t, python)
		for _, c := range []struct{ name, request, want string }{
			{"not HTTP", "hello\r\n\r\n", "HTTP/1.1 400 "},
			{"chunked", "POST /run HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 411 "},
			{"length not a number", "POST /run HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", "HTTP/1.1 400 "},
			{"length not ASCII", "POST /run HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", "HTTP/1.1 400 "},
			{"negative length", "POST /run HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400 "},
			{"too large", "POST /run HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "HTTP/1.1 413 "},
			{"endless header", "POST /run HTTP/1.1\r\nA: " + strings.Repeat("x", 70<<10), "HTTP/1.1 431 "},
			{"wrong path", "POST /other HTTP/1.0\r\n\r\n", "HTTP/1.1 404 "},
			{"wrong method", "GET /run HTTP/1.0\r\n\r\n", "HTTP/1.1 405 "},
			{"continue", "POST /run HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 "},
			{"run before init", "POST /run HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 502 "},
			{"two at once", "POST /x HTTP/1.1\r\n\r\nPOST /x HTTP/1.0\r\n\r\n", "HTTP/1.1 404 "},
		} {
			t.Run(c.name, func(t *testing.T) {
				conn, err := net.Dial("tcp", p.base[len("http://"):])
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				idle, err := net.Dial("tcp", p.base[len("http://"):]) // an idle client delays no other client
				if err != nil {
					t.Fatal(err)
				}
				defer idle.Close()
				conn.SetDeadline(time.Now().Add(time.Minute))
				io.WriteString(conn, c.request)
				got, _ := io.ReadAll(conn)
				if !bytes.HasPrefix(got, []byte(c.want)) {
					t.Errorf("got %q", got)
				}
			})
		}
		return
	}
}
