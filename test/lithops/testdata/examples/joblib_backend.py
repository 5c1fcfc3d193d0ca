"""joblib's loops on Lithops."""
import joblib
from joblib import Parallel, delayed
from lithops.util.joblib import register_lithops


def square(x):
    return x * x


register_lithops()
with joblib.parallel_backend('lithops'):
    print(Parallel(n_jobs=4)(delayed(square)(x) for x in range(8)))
