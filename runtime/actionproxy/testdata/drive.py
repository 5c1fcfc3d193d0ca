"""Gives inputs to the functions of the action proxy, for the fuzz targets: python3 drive.py PROXY FOLDER.

Each input is a line of JSON: {"zip": base64} is unpacked, {"body": base64, "path": "/init"} is handled as a request.
Each answer is one too: {"ok": ..., "said": ...}, or {"wrong": what must never happen}. No code of an input runs.
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
folder = os.path.join(top, 'action')
spec = importlib.util.spec_from_file_location('proxy', sys.argv[1])
proxy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(proxy)
proxy.MAX_UNZIPPED = 1 << 20
proxy.MAX_ENTRIES = 100
answers = os.fdopen(os.dup(1), 'w')
sys.stdout = sys.stderr = open(os.devnull, 'w')
outside = []
watching = False


def audit(event, args):
    """Notes each path outside of the folder that is written, made, linked, or whose rights change."""
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
        if real != folder and not real.startswith(folder + os.sep) and real != os.devnull:
            outside.append('%s %r' % (event, path))


if hasattr(sys, 'addaudithook'):
    sys.addaudithook(audit)


class Module:
    """Stands for the module of an action."""

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


def unpacked():
    """What must never lie in the folder."""
    size = count = 0
    for where, dirs, files in os.walk(folder):
        for name in dirs + files:
            info = os.lstat(os.path.join(where, name))
            if not stat.S_ISDIR(info.st_mode) and not stat.S_ISREG(info.st_mode):
                return 'a link or a device: %r' % name
            if info.st_mode & 0o7000:
                return 'rights beyond those of a file: %o' % info.st_mode
            if stat.S_ISREG(info.st_mode):
                size, count = size + info.st_size, count + 1
    if size > proxy.MAX_UNZIPPED or count > proxy.MAX_ENTRIES:
        return '%d files with %d bytes' % (count, size)
    return None


def one(request):
    global watching
    shutil.rmtree(folder, ignore_errors=True)
    environment = dict(os.environ)
    del outside[:]
    try:
        if 'zip' in request:
            os.mkdir(folder)
            watching = True
            try:
                proxy.unzip(request['zip'], folder)
                answer = {'ok': True, 'said': ''}
            except Exception as e:
                answer = {'ok': False, 'said': str(e)}
        else:
            server = proxy.Server.__new__(proxy.Server)
            proxy.Server.pid = os.getpid()
            server.action, server.streams, server.deadlines = proxy.Action(folder), Streams(), None
            watching = True
            status, body, _ = server.handle('POST', request['path'], base64.b64decode(request['body']))
            answer = {'ok': status == 200, 'said': body.decode()}
            if status == 200 and request['path'] == '/init':
                status, body, _ = server.handle('POST', '/run', b'{"value": {"a": 1}}')
                json.loads(body.decode())
                if status not in (200, 502):
                    answer = {'wrong': 'a run after /init: %d' % status}
    except BaseException as e:
        answer = {'wrong': 'raised %s: %s' % (type(e).__name__, e)}
    watching = False
    os.chdir(top)
    os.environ.clear()
    os.environ.update(environment)
    left = unpacked() or (outside and 'outside of the folder: ' + outside[0])
    return {'wrong': left} if left else answer


importlib.import_module = lambda name: Module  # of proxy.Action.load
proxy.activate = lambda virtualenv: None
sys.modules.setdefault('zipfile', importlib.__import__('zipfile'))
for line in sys.stdin:
    answers.write(json.dumps(one(json.loads(line))) + '\n')
    answers.flush()
