"""Replacement for the runner of openwhisk-runtime-python: how a Python action is loaded and called. See README.md."""
import os
import sys
import traceback

sys.path.append('../actionProxy')
from actionproxy import Runner, main  # noqa: E402


class PythonRunner(Runner):

    def __init__(self):
        self.compiled = None
        self.function = 'main'
        self.globals = {}

    def prepare(self, message):
        code, source = message['code'], os.path.join(self.folder, '__main__.py')
        if message.get('binary'):
            if not os.path.isfile(source):
                sys.stderr.write('Zip file does not include __main__.py\n')
                return False
            with open(source, encoding='utf-8') as f:
                code = f.read()
            sys.path.insert(0, self.folder)
            os.chdir(self.folder)
        try:
            self.compiled = compile(code, '__main__.py', 'exec')
            self.function = message.get('main', self.function)
            exec(self.compiled, self.globals)
            return True
        except Exception:
            traceback.print_exc(file=sys.stderr, limit=0)
            return False

    def ready(self):
        return self.compiled is not None

    def call(self, args):
        result = None
        try:
            self.globals['param'] = args
            exec('fun = %s(param)' % self.function, self.globals)
            result = self.globals['fun']
        except Exception:
            traceback.print_exc(file=sys.stderr)
        if result and isinstance(result, dict):
            return 200, result
        return 502, {'error': 'The action did not return a dictionary.'}


if __name__ == '__main__':
    main(PythonRunner())
