"""Waits for the first of some calls, then for all, and prints the executor's statistics."""
import time

import lithops
from lithops.wait import ANY_COMPLETED

GO = 'example/wait/go'


def work(name, storage):
    while name == 'slow' and not storage.list_keys(storage.bucket, GO):  # until the test has seen the other call
        time.sleep(0.1)
    return name


storage = lithops.Storage()
with lithops.FunctionExecutor() as fexec:
    futures = fexec.map(work, ['quick', 'slow'])
    done, rest = fexec.wait(futures, return_when=ANY_COMPLETED)
    storage.put_object(storage.bucket, GO, '')
    print(len(done), len(rest), fexec.get_result(futures), all('worker_func_exec_time' in f.stats for f in futures))
storage.delete_object(storage.bucket, GO)
