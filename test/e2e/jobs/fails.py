"""A map in which one call fails, and the client's report of it."""
import json
import lithops


def risky(x):
    print('call of', x)
    if x == 2:
        raise ValueError('two is \x1b[31mnot allowed')
    return x


if __name__ == '__main__':
    fexec = lithops.FunctionExecutor()
    futures = fexec.map(risky, range(4))
    fexec.wait(futures, throw_except=False)
    failed = futures[2]
    print('RESULT ' + json.dumps({'job': fexec.executor_id + '-' + failed.job_id, 'activation': failed.activation_id}))
