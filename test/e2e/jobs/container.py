"""A job on a custom runtime: imports a package that only its image contains, and reports where it ran."""
import json
import sys

import lithops

runtime, package = sys.argv[1:3]
try:
    __import__(package)
    sys.exit('%s is here as well, so the job would prove nothing.' % package)
except ImportError:
    pass


def inside(name):
    import importlib
    import os
    import socket
    module = importlib.import_module(name)
    return {
        'host': socket.gethostname(), 'container': os.path.exists('/.dockerenv'), 'file': module.__file__,
        'python': '%d.%d' % __import__('sys').version_info[:2], 'sum': module.reduce(lambda a, b: a + b, range(5)),
    }


executor = lithops.FunctionExecutor(runtime=runtime)
executor.map(inside, [package] * 3)
print('RESULT ' + json.dumps(executor.get_result(timeout=240)))
