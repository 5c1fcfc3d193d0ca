"""A short job for `run`. Prints its result and its arguments as JSON; its exit status is 3."""
import json
import os
import sys

import lithops

fexec = lithops.FunctionExecutor(log_level='ERROR')
fexec.map(lambda x: x + 7, range(5))
got = fexec.get_result(timeout=60, show_progressbar=False)
print('RESULT ' + json.dumps({'result': got, 'args': sys.argv[1:], 'config': os.environ['LITHOPS_CONFIG_FILE']}))
sys.exit(3)
