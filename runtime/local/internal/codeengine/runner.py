"""Runs the command of a Code Engine job. The local endpoint runs this program as an OpenWhisk action.

It requires Python 3.6 or later. In a container, the variable FN_RUNTIME_IMAGE holds the entrypoint, command and working
directory of the image. Without this variable, the program runs as a process on the user's machine. It then makes two
replacements in the command: 'python' becomes the interpreter that runs this program, and /lithops/lithopsentry.py of the
image becomes the entry point of the Lithops package installed for that interpreter. Mounted files are in the action's
directory, so the program also rewrites arguments and variables that contain mount paths.
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
NOT_STARTED = 128  # exit status that Kubernetes reports for a container whose command cannot be started


def main(args):
    image = json.loads(os.environ.get('FN_RUNTIME_IMAGE') or 'null')
    here = os.path.dirname(os.path.abspath(__file__))
    env = {name: value for name, value in os.environ.items() if not DROPPED.match(name)}
    command, mounts = args['command'] + args['args'], {}
    for n, path in enumerate(args['mounts'] or ()):
        mounts[path] = os.path.join(here, 'mounts', str(n))
        os.makedirs(mounts[path], exist_ok=True)
    with tempfile.TemporaryDirectory() as cwd:
        try:
            if image:
                command = (args['command'] or image['entrypoint'] or []) + (args['args'] or ([] if args['command'] else image['cmd'] or []))
                env.update(args['env'])
                for path, source in mounts.items():
                    link(source, path)
                cwd = image['dir'] or '/'
            else:
                command = [replace_mount(text, mounts) for text in command]
                env.update({name: replace_mount(value, mounts) for name, value in args['env'].items()})
                command = local_command(command, cwd)
            return {'exit': run(command, env, cwd)}
        except (OSError, ValueError, LookupError) as e:
            sys.stderr.write('The command of the job could not be started: %s\n' % e)
            return {'exit': NOT_STARTED}


def link(source, path):
    """Makes a path in the container a symbolic link to the files of a mount."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.islink(path):
        os.unlink(path)
    elif os.path.isdir(path):
        os.rmdir(path)  # fails if the image has files in this directory: a link cannot hide them as a mount would
    os.symlink(source, path)


def replace_mount(text, mounts):
    """Replaces a mount path at the start of text by the directory of the mount."""
    for path, directory in mounts.items():
        if text == path or text.startswith(path + '/'):
            return directory + text[len(path):]
    return text


def local_command(command, cwd):
    """Returns the command to run on this machine instead of an image's command."""
    if not command:
        raise ValueError('the job does not specify a command, and a process has no image that could provide one')
    if re.match(r'python(3(\.\d+)?)?$', os.path.basename(command[0])):
        command[0] = sys.executable
    if ENTRY in command and not os.path.exists(ENTRY):
        import importlib.util
        found = importlib.util.find_spec('lithops')
        if found is None:
            raise LookupError('Lithops is not installed for %s' % sys.executable)
        source = os.path.join(os.path.dirname(found.origin), 'serverless', 'backends', 'code_engine', 'entry_point.py')
        # Copy the file: if it ran in place, Python could import the modules next to it as top-level modules.
        command[command.index(ENTRY)] = shutil.copy(source, os.path.join(cwd, 'lithopsentry.py'))
    return command


def run(command, env, cwd):
    """Runs a command and returns its exit status as a shell reports it. Kills the processes that the command leaves behind."""
    # On other systems, a process in a new session would survive when the endpoint kills the process group of this program.
    new_session = sys.platform.startswith('linux')
    process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, start_new_session=new_session)
    status = process.wait()
    if new_session:
        try:
            os.killpg(process.pid, 9)
        except OSError:  # no process is left
            pass
    return status if status >= 0 else 128 - status
