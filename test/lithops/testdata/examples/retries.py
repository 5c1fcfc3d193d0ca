"""Calls that fail at random are retried."""
import lithops
from lithops.retries import RetryingFunctionExecutor


def flaky(name, storage):
    try:
        storage.head_object(storage.bucket, 'example/retry/' + name)
    except Exception:
        storage.put_object(storage.bucket, 'example/retry/' + name, b'')
        raise RuntimeError('the first time')
    storage.delete_object(storage.bucket, 'example/retry/' + name)
    return name


with RetryingFunctionExecutor(lithops.FunctionExecutor()) as fexec:
    done, _ = fexec.wait(fexec.map(flaky, ['a', 'b'], retries=2), throw_except=False)
    print(sorted(f.result() for f in done))
