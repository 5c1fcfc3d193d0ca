"""Processes that exchange data through queues and a pipe."""
from lithops.multiprocessing import Pipe, Process, Queue


def worker(todo, done, pipe):
    for x in iter(todo.get, None):
        done.put(x * 10)
    pipe.send('end')


if __name__ == '__main__':
    todo, done, (here, there) = Queue(), Queue(), Pipe()
    p = Process(target=worker, args=(todo, done, there))
    p.start()
    for x in (1, 2, 3, None):
        todo.put(x)
    print([done.get() for _ in range(3)], here.recv())
    p.join()
