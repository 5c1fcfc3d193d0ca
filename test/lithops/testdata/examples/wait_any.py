"""Waits for the first of some calls, then for all, and asks for what the executor counted."""
import time

import lithops
from lithops.wait import ANY_COMPLETED


def sleep(s):
    time.sleep(s)
    return s


with lithops.FunctionExecutor() as fexec:
    futures = fexec.map(sleep, [0.1, 2])
    done, rest = fexec.wait(futures, return_when=ANY_COMPLETED)
    print(len(done), len(rest), fexec.get_result(futures), all('worker_func_exec_time' in f.stats for f in futures))
