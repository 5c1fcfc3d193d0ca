"""A map, with arguments of every form, an extra argument for all, and chunks of calls for a worker."""
import lithops


def add(x, y):
    return x + y


with lithops.FunctionExecutor() as fexec:
    tuples = fexec.get_result(fexec.map(add, [(1, 2), (3, 4)]))
    dicts = fexec.get_result(fexec.map(add, [{'x': 5, 'y': 6}]))
    extra = fexec.get_result(fexec.map(add, [1, 2, 3], extra_args=(10,), chunksize=2))
    print(tuples, dicts, extra)
