"""One call, like the documentation's first example."""
import lithops


def double(x, plus=0):
    return 2 * x + plus


with lithops.FunctionExecutor() as fexec:
    fexec.call_async(double, {'x': 3, 'plus': 1})
    print(fexec.get_result())
