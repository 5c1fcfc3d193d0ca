"""multiprocessing's Pool."""
from lithops.multiprocessing import Pool


def square(x):
    return x * x


if __name__ == '__main__':
    with Pool() as pool:
        print(pool.map(square, range(5)), pool.apply(square, (6,)), pool.starmap(pow, [(2, 3), (3, 2)]), pool.map_async(square, [7]).get())
