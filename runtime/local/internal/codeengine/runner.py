"""Runs the command of a Code Engine job: an OpenWhisk action of the local endpoint, for Python 3.6 and later.

In a container FN_RUNTIME_IMAGE has what its image says of command and folder. Without it this is a process of the user's
machine: 'python' is the interpreter that runs this, the image's /lithops/lithopsentry.py is that of the Lithops installed
for it, and mounted files are where the action's are, so that arguments and variables that name them are rewritten.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ENTRY = '/lithops/lithopsentry.py'
DROPPED = re.compile(r'(.*_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|CURL_CA_BUNDLE|__OW_.*|FN_RUNTIME_IMAGE|PROXY_DIR)$', re.IGNORECASE)
NOT_STARTED = 128  # as Kubernetes says of a container whose command cannot be started


def main(args):
    image = json.loads(os.environ.get('FN_RUNTIME_IMAGE') or 'null')
    here = os.path.dirname(os.path.abspath(__file__))
    env = {name: value for name, value in os.environ.items() if not DROPPED.match(name)}
    command, folders = args['command'] + args['args'], {}
    for n, path in enumerate(args['mounts'] or ()):
        folders[path] = os.path.join(here, 'mounts', str(n))
        os.makedirs(folders[path], exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            if image:
                command = (args['command'] or image['entrypoint'] or []) + (args['args'] or ([] if args['command'] else image['cmd'] or []))
                env.update(args['env'])
                for path, source in folders.items():
                    link(source, path)
                folder = image['dir'] or '/'
            else:
                command = [moved(text, folders) for text in command]
                env.update({name: moved(value, folders) for name, value in args['env'].items()})
                command = local(command, folder)
            return {'exit': run(command, env, folder)}
        except (OSError, ValueError, LookupError) as e:
            sys.stderr.write('The command of the job could not be started: %s\n' % e)
            return {'exit': NOT_STARTED}


def link(source, path):
    """Lets a path of the container lead to the files of a mount."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.islink(path):
        os.unlink(path)
    elif os.path.isdir(path):
        os.rmdir(path)  # what is in the image there is not hidden but kept: that is refused
    os.symlink(source, path)


def moved(text, folders):
    for path, folder in folders.items():
        if text == path or text.startswith(path + '/'):
            return folder + text[len(path):]
    return text


def local(command, folder):
    """What the command of an image is on this machine."""
    if not command:
        raise ValueError('it names no command, and processes have no image that could')
    if re.match(r'python(3(\.\d+)?)?$', os.path.basename(command[0])):
        command[0] = sys.executable
    if ENTRY in command and not os.path.exists(ENTRY):
        import importlib.util
        found = importlib.util.find_spec('lithops')
        if found is None:
            raise LookupError('Lithops is not installed for %s' % sys.executable)
        source = os.path.join(os.path.dirname(found.origin), 'serverless', 'backends', 'code_engine', 'entry_point.py')
        # A copy: the modules beside the original are not to be found as if they were top-level ones.
        command[command.index(ENTRY)] = shutil.copy(source, os.path.join(folder, 'lithopsentry.py'))
    return command


def run(command, env, folder):
    """Runs a command and returns its exit status as a shell has it. What it leaves running ends with it."""
    own = sys.platform.startswith('linux')  # elsewhere a session of its own would hide it from whoever ends this process
    process = subprocess.Popen(command, env=env, cwd=folder, stdin=subprocess.DEVNULL, start_new_session=own)
    status = process.wait()
    if own:
        try:
            os.killpg(process.pid, 9)
        except OSError:  # nothing is left
            pass
    return status if status >= 0 else 128 - status
