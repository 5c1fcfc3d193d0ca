"""The seed document's examples, with the unmodified Lithops client from PyPI. Prints the results as JSON."""
import json
import sys

import lithops


def my_function(x):
    return x + 7


def where(x):
    import os
    return os.environ.get('__OW_ACTION_NAME', '')


second = sys.argv[1]
out = {'version': lithops.__version__}

pw = lithops.FunctionExecutor()
pw.call_async(my_function, 3)
out['call_async'] = pw.get_result(timeout=120)

pw = lithops.FunctionExecutor()
pw.map(my_function, list(range(100)))
out['map'] = pw.get_result(timeout=240)

pw = lithops.FunctionExecutor(runtime_memory=512)
pw.call_async(where, 3)
out['memory_512'] = pw.get_result(timeout=120)

pw = lithops.FunctionExecutor(runtime=second)
pw.call_async(where, 3)
out['second'] = pw.get_result(timeout=120)

print('RESULT ' + json.dumps(out))
