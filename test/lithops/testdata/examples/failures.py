"""The exception of a failed call is raised here; throw_except=False keeps the other results."""
import lithops


def invert(x):
    return 1 / x


with lithops.FunctionExecutor() as fexec:
    futures = fexec.map(invert, [1, 0, 2])
    try:
        fexec.get_result(futures)
    except ZeroDivisionError as e:
        print(e)
    print(fexec.get_result(fexec.map(invert, [4, 5]), throw_except=False))
