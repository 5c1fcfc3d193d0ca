#!/usr/bin/env python3
"""Action proxy: runs one Python action for Apache OpenWhisk.

One file, because an image takes it as it is and a build fetches nothing; standard library only, Python 3.6 and later. It
speaks OpenWhisk's action container protocol over HTTP/1.1:

  POST /init  {"value": {"name", "main", "code", "binary", "env"}}   once; code is source text or a base64 zip
  POST /run   {"value": {...}, "activation_id": ..., "deadline": ...}  200 and a JSON object, or {"error": "..."}

Each other field of /run is __OW_<FIELD> in the environment of the action. After a run, and after an /init that failed,
both output streams end with the sentinel line that tells OpenWhisk where the log of the activation ends.

There are two processes. The outer one, the guard, collects the processes that an action leaves behind (it is PID 1 of a
container, or makes itself what takes in orphans, on Linux), and ends everything when a deadline has passed, when its own
parent is gone, or on SIGTERM after the current run. When the process of an action dies in /init and nobody holds a lifeline, the guard answers in its place: OpenWhisk
would repeat the request for as long as the action may run. The inner one serves HTTP and runs the action in its main thread, one run at a time. It has no signal
handlers: a process that an action forks would have them too.

Settings, all in the environment, none of them visible to the action:
  PORT            TCP port to listen on, 8080
  PROXY_HOST      address to listen on, 0.0.0.0
  PROXY_FD        a connected socket that is inherited, instead of listening
  PROXY_LIFELINE  a descriptor of a pipe; when its other end closes, the guard kills all that descends from it
  PROXY_DIR       folder for the action's files; /action, else a temporary one that is removed at the end
PROXY_WORKER, when set, stays visible: whoever starts proxies knows by it what belongs to one whose guard was killed.
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
MAX_BODY = 256 << 20     # bytes; OpenWhisk allows 48 MB of code, base64 makes 64 MB of it
MAX_UNZIPPED = 4 << 30   # bytes of all files of an archive
MAX_ENTRIES = 200000     # files of an archive
GRACE = 1.0              # seconds after the deadline that the caller has to end the action itself
INITIALIZING = -math.inf  # what the server tells the guard in place of a limit
REASONS = {200: 'OK', 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed',
           411: 'Length Required', 413: 'Payload Too Large', 431: 'Request Header Fields Too Large',
           500: 'Internal Server Error', 502: 'Bad Gateway'}
NO_BINARY = 'The action failed to generate or locate a binary. See logs for details.'


class Failure(Exception):
    """An answer other than 200: a status and the text of its {"error"}."""

    def __init__(self, status, message):
        Exception.__init__(self, message)
        self.status = status


class Streams:
    """Standard output and error: line by line, in UTF-8, and back in place for each run whatever the last one did."""

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
        """Writes the sentinels, after whatever the action has written by then."""
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
    """Writes to a pipe that a child of the action may have made non-blocking."""
    while data:
        try:
            data = data[os.write(fd, data):]
        except BlockingIOError:
            select.select([], [fd], [], 1)
        except OSError:  # nobody reads the logs
            return


class Action:
    """The user's code."""

    def __init__(self, folder):
        self.folder = folder
        self.function = None
        self.tried = False  # an /init that failed may be repeated
        self.exported = []  # names of the __OW_ variables of the last run

    def init(self, value):
        code = value.get('code')
        if not isinstance(code, str) or not code:
            raise Failure(502, NO_BINARY)
        try:
            export(value.get('env') or {})
            if self.tried:
                import shutil
                shutil.rmtree(self.folder, ignore_errors=True)
            self.tried = True
            os.makedirs(self.folder, exist_ok=True)
            if value.get('binary'):
                unzip(code, self.folder)
            else:
                with open(os.path.join(self.folder, '__main__.py'), 'w', encoding='utf-8', newline='') as f:
                    f.write(code)
            self.function = self.load(value.get('main') or 'main')
        except BaseException as e:  # SystemExit too: importing is running
            leave_if_forked(e)
            if isinstance(e, Failure):
                sys.stderr.write('%s\n' % e)
            else:
                print_exception()
            raise Failure(502, NO_BINARY)

    def load(self, main):
        """Imports __main__.py as the module main__, so that the action's own processes can import it too."""
        source, module = (os.path.join(self.folder, name) for name in ('__main__.py', 'main__.py'))
        if not os.path.isfile(source):
            raise Failure(502, 'Zip file does not include __main__.py')
        with open(source, 'rb') as f, open(module, 'wb') as g:
            g.write(f.read())
        os.chdir(self.folder)
        if self.folder not in sys.path:
            sys.path.insert(0, self.folder)
        activate(os.path.join(self.folder, 'virtualenv'))
        import importlib
        importlib.invalidate_caches()
        sys.modules.pop('main__', None)  # of an /init that failed
        found = importlib.import_module('main__')
        for part in main.split('.'):
            found = getattr(found, part, None)
        if not callable(found):
            raise Failure(502, "The action has no function '%s'." % main)
        unshare_connections()
        return found

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
        except BaseException as e:  # SystemExit and KeyboardInterrupt as well: the next run must find a proxy
            leave_if_forked(e)
            print_exception()
            raise Failure(502, '%s: %s' % (type(e).__name__, e))
        leave_if_forked(None)
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
    except Exception:  # an exception that cannot even be printed
        sys.stderr.write('%s\n' % sys.exc_info()[0])


def leave_if_forked(error):
    """Ends a process that the action has forked and that came back from the action's code as if it were the proxy."""
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
    """Activates a virtual environment that came with the archive."""
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
    """Lets each process that the action forks open connections of its own: two that speak on one read each other's answers.

    Lithops 3.8 forks with a client of its store that both go on to use. Only what lies idle in a pool of urllib3 is let go,
    which a pool does by itself at any time; a connection in use stays, and so does whatever the action shares on purpose.
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
            for connection in list(getattr(pool.pool, 'queue', ())):  # None is the place of one that is in use or not open
                if connection is not None:
                    connection.close()

    module.HTTPConnectionPool.__init__ = init
    os.register_at_fork(after_in_child=close_idle)


def unzip(code, folder):
    """Unpacks a base64 zip. Refuses what would land outside of the folder, links, devices, and archives that explode."""
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
                raise Failure(502, 'Zip file includes a name outside of its folder: %r' % e.orig_filename)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Failure(502, 'Zip file includes a link or a device: %r' % e.filename)
        for e in entries:
            path = archive.extract(e, folder)
            if e.external_attr >> 16 & 0o111 and not e.is_dir():
                os.chmod(path, 0o755)


class Connection:
    """One client. Bytes are fed in as they come; a request comes out when it is whole."""

    def __init__(self, sock):
        self.sock = sock
        self.data = bytearray()
        self.head = None   # (method, path) once the headers are read
        self.length = 0    # of the body
        self.keep = True

    def request(self):
        """The next whole request as (method, path, body), or None. Raises Failure for what is not HTTP."""
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

    def answer(self, status, body):
        head = 'HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n' % (
            status, REASONS[status], len(body), '' if self.keep else 'Connection: close\r\n')
        self.sock.sendall(head.encode() + body)


class Server:
    """Takes requests from one listening socket, or from one inherited connection, and answers them one after another."""

    pid = None  # of the process that serves; a child that the action forks has another

    def __init__(self, action, streams, listener, connection, deadlines):
        Server.pid = os.getpid()
        self.action, self.streams = action, streams
        self.listener, self.deadlines = listener, deadlines
        self.connections = {}
        self.selector = getattr(selectors, 'PollSelector', selectors.SelectSelector)()
        if deadlines is not None:  # becomes ready when the guard is gone
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
        """Runs in each process that the action forks: it must not hold the proxy's sockets."""
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
                    except OSError:  # gone again
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
                if log:  # first, so that whoever has the answer finds the log complete
                    self.streams.end()
                connection.answer(status, body)
                self.tell(0)
                keep = connection.keep
        except Failure as e:
            connection.keep = False
            try:
                connection.answer(e.status, error(e))
            except OSError:
                pass
        except OSError:  # the client is gone or too slow
            pass
        self.tell(0)
        self.drop(connection.sock)

    def handle(self, method, path, body):
        """Answers one request: status, body, and whether the log of an activation ends with it."""
        if path not in ('/init', '/run'):
            return 404, error('There is nothing here. Use /init and /run.'), False
        if method != 'POST':
            return 405, error('Use POST.'), False
        try:
            message = json.loads(body.decode('utf-8') or '{}')
        except (ValueError, RecursionError):
            message = None
        self.streams.restore()
        self.tell(limit(message) if path == '/run' else INITIALIZING)
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

    def tell(self, limit):
        """Tells the guard until when, on the monotonic clock, the server may be busy; 0 is idle."""
        if self.deadlines is not None:
            os.write(self.deadlines, struct.pack('d', limit))


def limit(message):
    """When the guard has to end it all: deadline is in milliseconds since 1970."""
    try:
        deadline = float(message['deadline']) / 1000
    except (TypeError, KeyError, ValueError, OverflowError):
        return math.inf
    return time.monotonic() + max(deadline - time.time(), 0) + GRACE if deadline > 0 else math.inf


def error(message):
    return json.dumps({'error': str(message)}).encode()


class Guard:
    """The outer process: it waits, and ends what has to be ended."""

    def __init__(self, child, deadlines, lifeline, temporary, listener, streams):
        self.child, self.deadlines, self.lifeline = child, deadlines, lifeline
        self.temporary = temporary  # folder to remove at the end, or None
        self.listener, self.streams = listener, streams
        self.limit = 0              # of the monotonic clock while the server is busy, 0 when it is idle
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
            self.collect()
            left = min(self.limit - time.monotonic(), 3600) if self.limit else None
            ready = select.select(watched, [], [], left and max(left, 0))[0]
            if awake in ready:
                os.read(awake, 4096)
            if self.deadlines in ready:
                if not self.hear():  # the server is about to be collected
                    watched.remove(self.deadlines)
            elif self.lifeline in ready:
                self.kill_all(1)
            elif self.limit and time.monotonic() > self.limit:
                self.say('The action exceeded its deadline.')
                self.kill_all(1)
            if self.stopping and not self.limit:
                self.kill_all(0)

    def stop(self, *_):
        self.stopping = True

    def hear(self):
        """Hears what the server has told; False when it has ended."""
        try:
            data = os.read(self.deadlines, 4096)
        except BlockingIOError:
            return True
        if data:  # the last word counts
            word = struct.unpack('d', data[-8:])[0]
            self.initializing = word == INITIALIZING
            self.limit = math.inf if self.initializing else word
        return bool(data)

    def collect(self):
        """Reaps whatever has ended; when that is the server, all ends."""
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
                    self.say(text)
                self.hear()
                if self.initializing and self.listener and self.lifeline is None:
                    self.stand_in(text or 'The process of the action exited.')
                self.kill_all(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))

    def stand_in(self, text):
        """Answers every request with what became of the server, until somebody ends this process."""
        self.kill_family()
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
                    connection.answer(502, error(text))
            except (Failure, OSError):
                pass
            sock.close()

    def say(self, text):
        write_all(2, text.encode() + b'\n')

    def kill_all(self, code):
        """Kills every descendant and ends."""
        self.kill_family()
        if self.temporary:
            import shutil
            shutil.rmtree(self.temporary, ignore_errors=True)
        if self.lifeline is not None and os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(code)  # as PID 1: the kernel ends the rest of the container

    def kill_family(self):
        """Kills every descendant, those included that have left their group, session, environment and parent."""
        for _ in range(1000):  # they may be forking; whatever loses its parent comes to this process
            family = descendants(os.getpid())
            for pid in family or ([self.child] if self.child else []):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:  # gone, or of another user
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
    """The processes below one, from /proc; a process is a child of the thread that forked it."""
    found, waiting = [], [pid]
    while waiting:
        task = '/proc/%d/task' % waiting.pop()
        for thread in listed(task):
            try:
                with open('%s/%s/children' % (task, thread)) as f:
                    children = [int(child) for child in f.read().split()]
            except OSError:  # gone
                continue
            found += children
            waiting += children
    return found


def listed(folder):
    try:
        return os.listdir(folder)
    except OSError:  # gone, or not Linux
        return []


def adopt_orphans():
    """Gives this process whatever its descendants leave without a parent, and which would be init's otherwise."""
    if os.getpid() == 1 or not sys.platform.startswith('linux'):
        return
    try:
        import ctypes
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    except (ImportError, OSError, AttributeError):  # a Python without ctypes: killing the group is all that is left
        pass


def take_lifeline():
    """A descriptor of the lifeline that may be kept: standard input is none."""
    lifeline = os.environ.pop('PROXY_LIFELINE', None)
    if not lifeline or not hasattr(os, 'fork'):
        return None
    kept = os.dup(int(lifeline))
    if int(lifeline) > 2:
        os.close(int(lifeline))
    return kept


def start_guard(connection, temporary, listener, streams, lifeline):
    """Splits into guard and server. Returns, in the server only, the descriptor that takes limits."""
    if not hasattr(os, 'fork'):
        return None
    adopt_orphans()  # first: no action runs before it holds
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
    host, port, fd, folder = (os.environ.pop(name, default) for name, default in (
        ('PROXY_HOST', '0.0.0.0'), ('PORT', '8080'), ('PROXY_FD', None), ('PROXY_DIR', '/action')))
    if os.path.dirname(os.path.abspath(__file__)) in sys.path[:1]:
        del sys.path[0]  # the proxy's own folder is not the action's
    temporary = None
    if folder == '/action' and not os.access(folder, os.W_OK):
        folder = temporary = os.path.join(os.environ.get('TMPDIR', '/tmp'), 'action-%d' % os.getpid())
        os.mkdir(folder, 0o700)
    lifeline = take_lifeline()
    streams = Streams()  # before the rest: a socket must not get the number of standard input
    listener = None if fd else listen(host, port)
    deadlines = start_guard(fd, temporary, listener, streams, lifeline)
    connection = None
    if fd:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=int(fd))
        connection.set_inheritable(False)
    server = Server(Action(folder), streams, listener, connection, deadlines)
    if hasattr(os, 'register_at_fork'):
        os.register_at_fork(after_in_child=server.close_in_child)
    try:
        server.serve()
    except KeyboardInterrupt:
        pass
    except BaseException:
        print_exception()
        os._exit(1)
    os._exit(0)  # threads of the action do not keep the process


if __name__ == '__main__':
    main()
