"""Jobs on Code Engine, with the unmodified Lithops client from PyPI. Prints the results as JSON."""
import json
import os

import lithops


def my_function(x):
    return x + 7


def where(x):
    return {name: os.environ.get(name) for name in ('CE_JOB', 'CE_REGION', 'JOB_INDEX', 'JOB_ARRAY_SIZE', 'HTTPS_PROXY')}


out = {'version': lithops.__version__}

pw = lithops.FunctionExecutor()
pw.call_async(my_function, 3)
out['call_async'] = pw.get_result(timeout=120)

pw = lithops.FunctionExecutor()
pw.map(my_function, list(range(100)), chunksize=25)
out['map'] = pw.get_result(timeout=240)

pw = lithops.FunctionExecutor(runtime_memory=512)
pw.call_async(where, 3)
out['memory_512'] = pw.get_result(timeout=120)

first, second = lithops.FunctionExecutor(), lithops.FunctionExecutor()
first.map(my_function, [1, 2])
second.map(my_function, [3, 4])
out['two'] = [second.get_result(timeout=120), first.get_result(timeout=120)]

print('RESULT ' + json.dumps(out))
