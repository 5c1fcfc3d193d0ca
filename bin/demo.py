"""The job of `make demo`: the example of the Lithops documentation, and a map; exits with status 1 if a result is wrong."""
import sys
import time

import lithops


def my_function(x):
    return x + 7


fexec = lithops.FunctionExecutor(log_level='ERROR')

start = time.time()
fexec.call_async(my_function, 3)
one = fexec.get_result(timeout=120, show_progressbar=False)
print(f'call_async(my_function, 3)     -> {one}    {time.time() - start:.2f} s')

start = time.time()
fexec.map(my_function, range(20))
many = fexec.get_result(timeout=120, show_progressbar=False)
print(f'sum(map(my_function, 0..19))   -> {sum(many)}   {time.time() - start:.2f} s')

sys.exit(0 if one == 10 and many == [x + 7 for x in range(20)] else 1)
