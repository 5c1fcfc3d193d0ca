"""Passes inputs to the functions of the action proxy, for the fuzz targets: python3 drive.py PROXY DIRECTORY.

Each input is a line of JSON: {"zip": base64} is unpacked, {"body": base64, "path": "/init"} is handled as a request.
Each result is a line of JSON: {"ok": ..., "text": ...}, or {"violation": ...} for a failed check. Code in an input does
not run.
"""
import base64
import importlib
import importlib.util
import json
import os
import shutil
import stat
import sys

top = os.path.realpath(sys.argv[2])
directory = os.path.join(top, 'action')
spec = importlib.util.spec_from_file_location('proxy', sys.argv[1])
proxy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(proxy)
proxy.MAX_UNZIPPED = 1 << 20
proxy.MAX_ENTRIES = 100
output = os.fdopen(os.dup(1), 'w')
sys.stdout = sys.stderr = open(os.devnull, 'w')
outside = []
watching = False


def audit(event, args):
    """Records each path outside of the directory that is written, created, linked, or whose mode changes."""
    if not watching:
        return
    if event == 'open':
        mode, flags = args[1], args[2]
        if not (isinstance(mode, str) and set(mode) & set('wax+')) and not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
    elif event not in ('os.mkdir', 'os.symlink', 'os.link', 'os.chmod', 'os.rename', 'os.remove', 'os.rmdir', 'os.mknod'):
        return
    for path in args[:1]:
        if not isinstance(path, (str, bytes)):
            continue
        real = os.path.realpath(os.fsdecode(path))
        if real != directory and not real.startswith(directory + os.sep) and real != os.devnull:
            outside.append('%s %r' % (event, path))


if hasattr(sys, 'addaudithook'):
    sys.addaudithook(audit)


class Module:
    """A fake module of an action."""

    @staticmethod
    def main(args):
        return args

    class Tool:
        @staticmethod
        def go(args):
            return {'n': len(args)}

    value = 3


class Streams:
    def restore(self):
        pass

    def end(self):
        pass


def check_unpacked():
    """Returns an unpacked file that violates the limits, or None."""
    size = count = 0
    for where, dirs, files in os.walk(directory):
        for name in dirs + files:
            info = os.lstat(os.path.join(where, name))
            if not stat.S_ISDIR(info.st_mode) and not stat.S_ISREG(info.st_mode):
                return 'a link or a device: %r' % name
            if info.st_mode & 0o7000:
                return 'special mode bits: %o' % info.st_mode
            if stat.S_ISREG(info.st_mode):
                size, count = size + info.st_size, count + 1
    if size > proxy.MAX_UNZIPPED or count > proxy.MAX_ENTRIES:
        return '%d files with %d bytes' % (count, size)
    return None


def handle(request):
    global watching
    shutil.rmtree(directory, ignore_errors=True)
    environment = dict(os.environ)
    del outside[:]
    try:
        if 'zip' in request:
            os.mkdir(directory)
            watching = True
            try:
                proxy.unzip(request['zip'], directory)
                result = {'ok': True, 'text': ''}
            except Exception as e:
                result = {'ok': False, 'text': str(e)}
        else:
            server = proxy.Server.__new__(proxy.Server)
            proxy.Server.pid = os.getpid()
            server.action, server.streams, server.deadlines = proxy.Action(directory), Streams(), None
            watching = True
            status, body, _ = server.handle('POST', request['path'], base64.b64decode(request['body']))
            result = {'ok': status == 200, 'text': body.decode()}
            if status == 200 and request['path'] == '/init':
                status, body, _ = server.handle('POST', '/run', b'{"value": {"a": 1}}')
                json.loads(body.decode())
                if status not in (200, 502):
                    result = {'violation': 'a run after /init: %d' % status}
    except BaseException as e:
        result = {'violation': 'raised %s: %s' % (type(e).__name__, e)}
    watching = False
    os.chdir(top)
    os.environ.clear()
    os.environ.update(environment)
    violation = check_unpacked() or (outside and 'outside of the directory: ' + outside[0])
    return {'violation': violation} if violation else result


importlib.import_module = lambda name: Module  # called by proxy.Action.load
proxy.activate = lambda virtualenv: None
sys.modules.setdefault('zipfile', importlib.__import__('zipfile'))
for line in sys.stdin:
    output.write(json.dumps(handle(json.loads(line))) + '\n')
    output.flush()
