"""Calls whose arguments are futures of other calls, as a chain and with a method decorator."""
import lithops


def add(x, y=1):
    return x + y


class Scale:
    def __init__(self, by):
        self.by = by

    def __call__(self, x):
        return x * self.by


with lithops.FunctionExecutor() as fexec:
    first = fexec.map(add, [1, 2, 3])
    second = fexec.map(Scale(10), first)
    print(fexec.map(add, second).get_result())
