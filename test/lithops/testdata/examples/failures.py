"""A call that fails raises here, with its own exception; throw_except=False keeps what went well."""
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
