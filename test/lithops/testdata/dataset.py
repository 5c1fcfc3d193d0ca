"""A pytest plug-in that serves, from this machine, the data set that TestMapReduce fetches from the Internet."""
import http.server
import threading

WORDS = b''.join(b'word%d of a set\n' % i for i in range(90_000))  # 1.6 MB: more than one chunk of each size


class Files(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        data, status = WORDS, 200
        if self.headers.get('Range'):
            first, last = self.headers['Range'].removeprefix('bytes=').split('-')
            data, status = WORDS[int(first):int(last or len(WORDS)) + 1], 206
        self.send_response(status)
        self.send_header('Accept-Ranges', 'bytes')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *args):
        pass


def pytest_collection_finish(session):
    from lithops.tests import test_map_reduce
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # two of them are sufficient for the test, and the machine is small
    test_map_reduce.TEST_FILES_URLS[:] = ['http://127.0.0.1:%d/%s' % (server.server_port, name) for name in ('a.txt', 'b.txt')]
