"""One call, with the inherited configuration."""
import lithops


def my_function(x):
    return x + 7


pw = lithops.FunctionExecutor()
pw.call_async(my_function, 3)
print('RESULT', pw.get_result(timeout=120))
