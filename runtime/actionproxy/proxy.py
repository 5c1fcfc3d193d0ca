#!/usr/bin/env python3
"""Action proxy: runs one Python action for Apache OpenWhisk.

One file, because images include it as it is and builds download nothing. It needs Python 3.6 or later and only the
standard library, and implements OpenWhisk's action container protocol over HTTP/1.1:

  POST /init  {"value": {"name", "main", "code", "binary", "env"}}   once; code is source text or a base64 zip
  POST /run   {"value": {...}, "activation_id": ..., "deadline": ...}  200 and a JSON object, or {"error": "..."}

Each other field of /run is __OW_<FIELD> in the environment of the action. After a run, and after a failed /init, both
output streams end with the sentinel line that marks the end of an activation's log for OpenWhisk.

There are two processes. The outer one, the guard, reaps the processes that an action leaves behind. It is PID 1 of a
container, or makes itself the reaper of orphans on Linux. It ends everything after a deadline, when its own parent has
ended, or on SIGTERM after the current run. If the process of an action ends in /init and there is no lifeline, the
guard responds instead of it, because OpenWhisk would retry the request for as long as the action may run. The inner
process serves HTTP and runs the action in its main thread, one run at a time. It has no signal handlers, because
forked processes would inherit them.

Settings, all in the environment and hidden from the action:
  PORT            TCP port to listen on, 8080 by default
  PROXY_HOST      address to listen on, 0.0.0.0 by default
  PROXY_FD        an inherited, connected socket to use instead of listening
  PROXY_LIFELINE  a descriptor of a pipe; when its other end closes, the guard kills all its descendants
  PROXY_DIR       directory for the action's files; the default is /action, or else a temporary one that is removed
                  at the end
If PROXY_WORKER is set, it remains visible: the program that starts proxies finds the processes of a killed guard by it.
"""
import json
import math
import os
import select
import selectors
import signal
import socket
import struct
import sys
import time

SENTINEL = b'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n'
MAX_HEAD = 64 << 10      # bytes of request line and headers
MAX_BODY = 256 << 20     # bytes; OpenWhisk allows 48 MB of code, which is 64 MB in base64
MAX_UNZIPPED = 4 << 30   # total bytes of the files in an archive
MAX_ENTRIES = 200000     # number of files in an archive
GRACE = 1.0              # seconds after the deadline in which the caller can end the action itself
INITIALIZING = -math.inf  # value that the server sends to the guard instead of a limit
REASONS = {200: 'OK', 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed',
           411: 'Length Required', 413: 'Payload Too Large', 431: 'Request Header Fields Too Large',
           500: 'Internal Server Error', 502: 'Bad Gateway'}
NO_BINARY = 'The action failed to generate or locate a binary. See logs for details.'


class Failure(Exception):
    """A response other than 200: its status and the text of its {"error"}."""

    def __init__(self, status, message):
        Exception.__init__(self, message)
        self.status = status


class Streams:
    """Standard output and error: line-buffered, in UTF-8, and restored before each run."""

    def __init__(self):
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        for fd in (1, 2):
            try:
                os.fstat(fd)
            except OSError:
                os.dup2(null, fd)
        if null > 2:
            os.close(null)
        self.saved = {1: os.dup(1), 2: os.dup(2)}
        self.out = self.err = None
        self.restore()

    def restore(self):
        for fd, saved in self.saved.items():
            os.dup2(saved, fd)
        if self.out is None or self.out.closed:
            self.out = line_writer(1)
        if self.err is None or self.err.closed:
            self.err = line_writer(2)
        sys.stdout, sys.stderr = self.out, self.err
        sys.__stdout__, sys.__stderr__ = self.out, self.err

    def end(self):
        """Writes the sentinels after all output of the action."""
        for stream in (sys.stdout, sys.stderr, self.out, self.err):
            try:
                stream.flush()
            except Exception:  # replaced or closed by the action
                pass
        for fd in self.saved.values():
            write_all(fd, SENTINEL)


def line_writer(fd):
    return open(fd, 'w', buffering=1, encoding='utf-8', errors='backslashreplace', closefd=False)


def write_all(fd, data):
    """Writes to a pipe, which a child of the action may have made non-blocking."""
    while data:
        try:
            data = data[os.write(fd, data):]
        except BlockingIOError:
            select.select([], [fd], [], 1)
        except OSError:  # no process reads the logs
            return


class Action:
    """The user's code."""

    def __init__(self, directory):
        self.directory = directory
        self.function = None
        self.attempted = False  # a failed /init may be retried
        self.exported = []  # names of the __OW_ variables of the last run

    def init(self, value):
        code = value.get('code')
        if not isinstance(code, str) or not code:
            raise Failure(502, NO_BINARY)
        try:
            export(value.get('env') or {})
            if self.attempted:
                import shutil
                shutil.rmtree(self.directory, ignore_errors=True)
            self.attempted = True
            os.makedirs(self.directory, exist_ok=True)
            if value.get('binary'):
                unzip(code, self.directory)
            else:
                with open(os.path.join(self.directory, '__main__.py'), 'w', encoding='utf-8', newline='') as f:
                    f.write(code)
            self.function = self.load(value.get('main') or 'main')
        except BaseException as e:  # including SystemExit: an import runs code
            exit_if_forked(e)
            if isinstance(e, Failure):
                sys.stderr.write('%s\n' % e)
            else:
                print_exception()
            raise Failure(502, NO_BINARY)

    def load(self, main):
        """Imports __main__.py as the module main__, so that processes of the action can import it, too."""
        source, module = (os.path.join(self.directory, name) for name in ('__main__.py', 'main__.py'))
        if not os.path.isfile(source):
            raise Failure(502, 'Zip file does not include __main__.py')
        with open(source, 'rb') as f, open(module, 'wb') as g:
            g.write(f.read())
        os.chdir(self.directory)
        if self.directory not in sys.path:
            sys.path.insert(0, self.directory)
        activate(os.path.join(self.directory, 'virtualenv'))
        import importlib
        importlib.invalidate_caches()
        sys.modules.pop('main__', None)  # from a failed /init
        function = importlib.import_module('main__')
        for part in main.split('.'):
            function = getattr(function, part, None)
        if not callable(function):
            raise Failure(502, "The action has no function '%s'." % main)
        unshare_connections()
        return function

    def run(self, message):
        value = message.get('value', {})
        if not isinstance(value, dict):
            raise Failure(404, 'The action did not receive a dictionary as an argument.')
        if self.function is None:
            raise Failure(502, 'The action failed to locate a binary. See logs for details.')
        try:
            for name in self.exported:
                os.environ.pop(name, None)
            fields = {'__OW_' + k.upper(): v for k, v in message.items() if k != 'value'}
            self.exported = list(fields)
            export(fields)
            result = self.function(value)
        except BaseException as e:  # including SystemExit and KeyboardInterrupt: the proxy must survive
            exit_if_forked(e)
            print_exception()
            raise Failure(502, '%s: %s' % (type(e).__name__, e))
        exit_if_forked(None)
        if not isinstance(result, dict):
            raise Failure(502, 'The action did not return a dictionary.')
        try:
            return json.dumps(result, allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError) as e:
            raise Failure(502, 'The action did not return a dictionary that is valid JSON: %s' % e)


def export(variables):
    for name, value in variables.items():
        os.environ[name] = value if isinstance(value, str) else json.dumps(value)


def print_exception():
    import traceback
    try:
        traceback.print_exc(file=sys.stderr)
    except Exception:  # an exception that cannot be printed
        sys.stderr.write('%s\n' % sys.exc_info()[0])


def exit_if_forked(error):
    """Ends a process that the action has forked and that has returned from the action's code."""
    if os.getpid() == Server.pid:
        return
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    code = error.code if isinstance(error, SystemExit) else (0 if error is None else 1)
    os._exit(code if isinstance(code, int) else (0 if code is None else 1))


def activate(virtualenv):
    """Activates the virtual environment of an archive."""
    if not os.path.isdir(virtualenv):
        return
    for script in ('bin', 'Scripts'):
        path = os.path.join(virtualenv, script, 'activate_this.py')
        if os.path.exists(path):
            with open(path, encoding='utf-8') as f:
                exec(compile(f.read(), path, 'exec'), {'__file__': path, '__name__': '__main__'})
            return
    raise Failure(502, 'Invalid virtualenv. Zip file does not include /virtualenv/bin/activate_this.py')


def unshare_connections():
    """Makes each forked process of the action open new connections: two processes on one connection mix up responses.

    Lithops 3.8 forks while it has a client of its store that both processes use. Only idle connections in a urllib3
    pool are closed, which a pool may do at any time. Connections in use and deliberately shared connections remain
    open.
    """
    module = sys.modules.get('urllib3.connectionpool')
    if module is None or not hasattr(os, 'register_at_fork') or hasattr(module, 'unshared'):
        return
    import weakref
    pools = module.unshared = weakref.WeakSet()
    make = module.HTTPConnectionPool.__init__

    def init(self, *args, **kwargs):
        make(self, *args, **kwargs)
        pools.add(self)

    def close_idle():
        for pool in list(pools):
            for connection in list(getattr(pool.pool, 'queue', ())):  # None if it is in use or not open
                if connection is not None:
                    connection.close()

    module.HTTPConnectionPool.__init__ = init
    os.register_at_fork(after_in_child=close_idle)


def unzip(code, directory):
    """Unpacks a base64 zip. Rejects paths outside of the directory, links, devices, and zip bombs."""
    import base64
    import io
    import stat
    import zipfile
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(code))) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES or sum(e.file_size for e in entries) > MAX_UNZIPPED:
            raise Failure(502, 'Zip file is too large when unpacked.')
        for e in entries:
            name = e.orig_filename.replace('\\', '/')
            kind = stat.S_IFMT(e.external_attr >> 16)
            if name.startswith('/') or '..' in name.split('/') or '\0' in name:
                raise Failure(502, 'Zip file includes a name outside of its directory: %r' % e.orig_filename)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Failure(502, 'Zip file includes a link or a device: %r' % e.filename)
        for e in entries:
            path = archive.extract(e, directory)
            if e.external_attr >> 16 & 0o111 and not e.is_dir():
                os.chmod(path, 0o755)


class Connection:
    """A client connection. It collects received bytes and returns complete requests."""

    def __init__(self, sock):
        self.sock = sock
        self.data = bytearray()
        self.head = None   # (method, path) once the headers are read
        self.length = 0    # of the body
        self.keep = True

    def request(self):
        """Returns the next complete request as (method, path, body), or None. Raises Failure if it is not HTTP."""
        if self.head is None:
            end = self.data.find(b'\r\n\r\n')
            if end < 0 and len(self.data) <= MAX_HEAD:
                return None
            if end < 0 or end > MAX_HEAD:
                raise Failure(431, 'The headers are too large.')
            self.parse(bytes(self.data[:end]).decode('latin-1').split('\r\n'))
            del self.data[:end + 4]
        if len(self.data) < self.length:
            return None
        body = bytes(self.data[:self.length])
        del self.data[:self.length]
        (method, path), self.head = self.head, None
        return method, path, body

    def parse(self, lines):
        words = lines[0].split(' ')
        if len(words) != 3 or not words[2].startswith('HTTP/1.'):
            raise Failure(400, 'The request is not HTTP/1.1.')
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(':')
            if not colon:
                raise Failure(400, 'A header is malformed.')
            headers[name.strip().lower()] = value.strip()
        if 'transfer-encoding' in headers:
            raise Failure(411, 'The request has no Content-Length.')
        length = headers.get('content-length', '0')
        if not length or length.strip('0123456789'):
            raise Failure(400, 'The Content-Length is malformed.')
        if len(length) > 12 or int(length) > MAX_BODY:
            raise Failure(413, 'The request is larger than %d bytes.' % MAX_BODY)
        self.length = int(length)
        self.keep = words[2] != 'HTTP/1.0' and headers.get('connection', '').lower() != 'close'
        self.head = words[0], words[1].split('?')[0]
        if headers.get('expect', '').lower() == '100-continue':
            self.sock.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')

    def respond(self, status, body):
        head = 'HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n' % (
            status, REASONS[status], len(body), '' if self.keep else 'Connection: close\r\n')
        self.sock.sendall(head.encode() + body)


class Server:
    """Serves requests from one listening socket or one inherited connection, one after another."""

    pid = None  # of the serving process; forked children of the action have another

    def __init__(self, action, streams, listener, connection, deadlines):
        Server.pid = os.getpid()
        self.action, self.streams = action, streams
        self.listener, self.deadlines = listener, deadlines
        self.connections = {}
        self.selector = getattr(selectors, 'PollSelector', selectors.SelectSelector)()
        if deadlines is not None:  # becomes ready when the guard has ended
            self.selector.register(deadlines, selectors.EVENT_READ)
        if listener:
            self.selector.register(listener, selectors.EVENT_READ)
        if connection:
            self.add(connection)

    def add(self, sock):
        sock.settimeout(60)
        self.connections[sock] = Connection(sock)
        self.selector.register(sock, selectors.EVENT_READ)

    def drop(self, sock):
        self.selector.unregister(sock)
        del self.connections[sock]
        sock.close()

    def close_in_child(self):
        """Runs in each forked process of the action, which must not hold the proxy's sockets."""
        for sock in list(self.connections) + ([self.listener] if self.listener else []):
            sock.close()
        if self.deadlines is not None:
            os.close(self.deadlines)

    def serve(self):
        while self.listener or self.connections:
            for key, _ in self.selector.select():
                if key.fileobj == self.deadlines:
                    return
                if key.fileobj is self.listener:
                    try:
                        self.add(self.listener.accept()[0])
                    except OSError:  # the client has disconnected
                        pass
                elif key.fileobj in self.connections:
                    self.receive(self.connections[key.fileobj])

    def receive(self, connection):
        try:
            data = connection.sock.recv(1 << 20)
            connection.data += data
            keep = bool(data)
            while keep:
                request = connection.request()
                if request is None:
                    return
                status, body, log = self.handle(*request)
                if log:  # first, so that the log is complete when the client has the response
                    self.streams.end()
                connection.respond(status, body)
                self.report(0)
                keep = connection.keep
        except Failure as e:
            connection.keep = False
            try:
                connection.respond(e.status, error(e))
            except OSError:
                pass
        except OSError:  # the client has disconnected or is too slow
            pass
        self.report(0)
        self.drop(connection.sock)

    def handle(self, method, path, body):
        """Handles a request. Returns status, body, and whether it ends the log of an activation."""
        if path not in ('/init', '/run'):
            return 404, error('Unknown path. Use /init or /run.'), False
        if method != 'POST':
            return 405, error('Use POST.'), False
        try:
            message = json.loads(body.decode('utf-8') or '{}')
        except (ValueError, RecursionError):
            message = None
        self.streams.restore()
        self.report(limit(message) if path == '/run' else INITIALIZING)
        try:
            if path == '/run':
                return 200, self.run(message), True
            self.init(message)
            return 200, b'{"ok": true}', False
        except Failure as e:
            return e.status, error(e), e.status != 403

    def init(self, message):
        if self.action.function is not None:
            sys.stderr.write('Cannot initialize the action more than once.\n')
            raise Failure(403, 'Cannot initialize the action more than once.')
        value = message.get('value', {}) if isinstance(message, dict) else None
        if not isinstance(value, dict):
            raise Failure(404, 'The initialization did not receive a dictionary.')
        self.action.init(value)

    def run(self, message):
        if not isinstance(message, dict):
            raise Failure(404, 'The action did not receive a dictionary as an argument.')
        return self.action.run(message)

    def report(self, limit):
        """Sends the guard the time, on the monotonic clock, until which the server may be busy; 0 if idle."""
        if self.deadlines is not None:
            os.write(self.deadlines, struct.pack('d', limit))


def limit(message):
    """Returns the time at which the guard must end all processes. deadline is in milliseconds since 1970."""
    try:
        deadline = float(message['deadline']) / 1000
    except (TypeError, KeyError, ValueError, OverflowError):
        return math.inf
    return time.monotonic() + max(deadline - time.time(), 0) + GRACE if deadline > 0 else math.inf


def error(message):
    return json.dumps({'error': str(message)}).encode()


class Guard:
    """The outer process: it watches the server and ends processes."""

    def __init__(self, child, deadlines, lifeline, temporary, listener, streams):
        self.child, self.deadlines, self.lifeline = child, deadlines, lifeline
        self.temporary = temporary  # directory to remove at the end, or None
        self.listener, self.streams = listener, streams
        self.limit = 0              # monotonic time while the server is busy, 0 if it is idle
        self.initializing = False
        self.stopping = False

    def watch(self):
        awake, waker = os.pipe()
        for fd in (awake, waker, self.deadlines):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        signal.set_wakeup_fd(waker)
        watched = [fd for fd in (awake, self.deadlines, self.lifeline) if fd is not None]
        while True:
            self.reap()
            left = min(self.limit - time.monotonic(), 3600) if self.limit else None
            ready = select.select(watched, [], [], left and max(left, 0))[0]
            if awake in ready:
                os.read(awake, 4096)
            if self.deadlines in ready:
                if not self.read_limit():  # the server has ended and is reaped next
                    watched.remove(self.deadlines)
            elif self.lifeline in ready:
                self.kill_all(1)
            elif self.limit and time.monotonic() > self.limit:
                self.log('The action exceeded its deadline.')
                self.kill_all(1)
            if self.stopping and not self.limit:
                self.kill_all(0)

    def stop(self, *_):
        self.stopping = True

    def read_limit(self):
        """Reads the limit sent by the server. Returns False if the server has ended."""
        try:
            data = os.read(self.deadlines, 4096)
        except BlockingIOError:
            return True
        if data:  # the last value counts
            limit = struct.unpack('d', data[-8:])[0]
            self.initializing = limit == INITIALIZING
            self.limit = math.inf if self.initializing else limit
        return bool(data)

    def reap(self):
        """Reaps ended processes. If the server has ended, ends all processes."""
        pid = True
        while pid:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == self.child:
                self.child = None
                text = ''
                if os.WIFSIGNALED(status):
                    text = 'The process of the action was killed by signal %d.' % os.WTERMSIG(status)
                elif os.WEXITSTATUS(status):
                    text = 'The process of the action exited with status %d.' % os.WEXITSTATUS(status)
                if text:
                    self.log(text)
                self.read_limit()
                if self.initializing and self.listener and self.lifeline is None:
                    self.respond_instead(text or 'The process of the action exited.')
                self.kill_all(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))

    def respond_instead(self, text):
        """Responds to every request with the reason why the server ended, until a signal ends this process."""
        self.kill_descendants()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.kill_all(0))
        while True:
            sock = self.listener.accept()[0]
            sock.settimeout(10)
            connection = Connection(sock)
            try:
                while connection.request() is None:
                    data = sock.recv(1 << 20)
                    if not data:
                        break
                    connection.data += data
                else:
                    connection.keep = False
                    self.streams.end()
                    connection.respond(502, error(text))
            except (Failure, OSError):
                pass
            sock.close()

    def log(self, text):
        write_all(2, text.encode() + b'\n')

    def kill_all(self, code):
        """Kills all descendants and exits."""
        self.kill_descendants()
        if self.temporary:
            import shutil
            shutil.rmtree(self.temporary, ignore_errors=True)
        if self.lifeline is not None and os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(code)  # as PID 1: the kernel ends the rest of the container

    def kill_descendants(self):
        """Kills all descendants, including those with another group, session, environment or parent."""
        for _ in range(1000):  # they may be forking; orphans become children of this process
            family = descendants(os.getpid())
            for pid in family or ([self.child] if self.child else []):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:  # ended, or owned by another user
                    pass
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                break
            if not family:
                break
            time.sleep(0.001)


def descendants(pid):
    """Returns the descendants of a process from /proc. A process is a child of the thread that forked it."""
    found, pending = [], [pid]
    while pending:
        task = '/proc/%d/task' % pending.pop()
        for thread in list_dir(task):
            try:
                with open('%s/%s/children' % (task, thread)) as f:
                    children = [int(child) for child in f.read().split()]
            except OSError:  # ended
                continue
            found += children
            pending += children
    return found


def list_dir(path):
    try:
        return os.listdir(path)
    except OSError:  # ended, or not Linux
        return []


def adopt_orphans():
    """Makes this process, instead of init, the parent of orphans among its descendants."""
    if os.getpid() == 1 or not sys.platform.startswith('linux'):
        return
    try:
        import ctypes
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    except (ImportError, OSError, AttributeError):  # without ctypes, only the process group can be killed
        pass


def keep_lifeline():
    """Returns a descriptor of the lifeline other than standard input, or None."""
    lifeline = os.environ.pop('PROXY_LIFELINE', None)
    if not lifeline or not hasattr(os, 'fork'):
        return None
    kept = os.dup(int(lifeline))
    if int(lifeline) > 2:
        os.close(int(lifeline))
    return kept


def start_guard(connection, temporary, listener, streams, lifeline):
    """Forks into guard and server. Returns only in the server, with the descriptor to write limits to."""
    if not hasattr(os, 'fork'):
        return None
    adopt_orphans()  # before any action runs
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        if lifeline is not None:
            os.close(lifeline)
        return writer
    os.close(writer)
    if connection:
        os.close(int(connection))
    Guard(child, reader, lifeline, temporary, listener, streams).watch()


def listen(host, port):
    listener = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    if os.name == 'posix':
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, int(port)))
    listener.listen(16)
    return listener


def main():
    host, port, fd, directory = (os.environ.pop(name, default) for name, default in (
        ('PROXY_HOST', '0.0.0.0'), ('PORT', '8080'), ('PROXY_FD', None), ('PROXY_DIR', '/action')))
    if os.path.dirname(os.path.abspath(__file__)) in sys.path[:1]:
        del sys.path[0]  # the proxy's directory is not the action's
    temporary = None
    if directory == '/action' and not os.access(directory, os.W_OK):
        directory = temporary = os.path.join(os.environ.get('TMPDIR', '/tmp'), 'action-%d' % os.getpid())
        os.mkdir(directory, 0o700)
    lifeline = keep_lifeline()
    streams = Streams()  # first, so that no socket gets the descriptor of standard input
    listener = None if fd else listen(host, port)
    deadlines = start_guard(fd, temporary, listener, streams, lifeline)
    connection = None
    if fd:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=int(fd))
        connection.set_inheritable(False)
    server = Server(Action(directory), streams, listener, connection, deadlines)
    if hasattr(os, 'register_at_fork'):
        os.register_at_fork(after_in_child=server.close_in_child)
    try:
        server.serve()
    except KeyboardInterrupt:
        pass
    except BaseException:
        print_exception()
        os._exit(1)
    os._exit(0)  # do not wait for threads of the action


if __name__ == '__main__':
    main()
