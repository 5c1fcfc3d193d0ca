"""Maps whose calls start maps and wait for them, then a map of calls that compute. Prints the results of both."""
import json
import time

import lithops


def inner(x):
    return x * x


def outer(n):
    fexec = lithops.FunctionExecutor(log_level='ERROR')
    return sum(fexec.get_result(fexec.map(inner, range(n, n + 10))))


def compute(_):
    begin = time.time()
    while time.time() < begin + 0.7:
        pass
    return begin, time.time()


if __name__ == '__main__':
    fexec = lithops.FunctionExecutor(log_level='ERROR')
    sums = fexec.get_result(fexec.map(outer, range(4)))
    spans = fexec.get_result(fexec.map(compute, range(12)))
    most = max(sum(begin <= at < end for begin, end in spans) for at, _ in spans)
    print('RESULT ' + json.dumps({'sums': sums, 'most': most}))
