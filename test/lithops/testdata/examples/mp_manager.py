"""A dictionary and a list that processes share."""
from lithops.multiprocessing import Manager, Process


def fill(shared, names, i):
    shared[i] = i * i
    names.append(str(i))


if __name__ == '__main__':
    with Manager() as manager:
        shared, names = manager.dict(), manager.list()
        processes = [Process(target=fill, args=(shared, names, i)) for i in range(3)]
        for p in processes:
            p.start()
        for p in processes:
            p.join()
        print(sorted(shared.items()), sorted(names))
