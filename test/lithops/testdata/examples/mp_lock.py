"""Processes that count together: a lock, a value, an event."""
from lithops.multiprocessing import Event, Lock, Process, Value


def count(lock, value, event):
    event.wait()
    for _ in range(5):
        with lock:
            value.value += 1


if __name__ == '__main__':
    lock, value, event = Lock(), Value('i', 0), Event()
    processes = [Process(target=count, args=(lock, value, event)) for _ in range(3)]
    for p in processes:
        p.start()
    event.set()
    for p in processes:
        p.join()
    print(value.value)
