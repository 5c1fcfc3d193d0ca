"""The executor of Python's concurrent.futures."""
from lithops.concurrent.futures import FunctionExecutor, as_completed


def power(x, n=2):
    return x ** n


with FunctionExecutor() as pool:
    print(pool.submit(power, 3, n=3).result(), list(pool.map(power, range(4))), sorted(f.result() for f in as_completed([pool.submit(power, x) for x in (5, 6)])))
