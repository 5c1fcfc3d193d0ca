"""Python's open() and os on the store."""
from lithops.storage.cloud_proxy import open, os

import lithops


def count(path):
    with open(path) as f:
        return len(f.read())


with open('example/os/a.txt', 'w') as f:
    f.write('twelve bytes')
with lithops.FunctionExecutor() as fexec:
    print(fexec.call_async(count, 'example/os/a.txt').result(), os.listdir('example/os'), os.path.isfile('example/os/a.txt'))
os.remove('example/os/a.txt')
