"""Prints the version in the environment of a runtime's image."""
import os
import sys

import lithops

executor = lithops.FunctionExecutor(runtime=sys.argv[1])
executor.call_async(lambda _: os.environ['VERSION'], None)
print('RESULT "%s"' % executor.get_result(timeout=240))
