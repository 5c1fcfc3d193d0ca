"""Maps over objects in storage, as the unmodified client runs them: functions check every byte that they read.

Arguments: runtime, or "" for the default one; objects; maps over all of them; objects that each function reads; maps with
results of 200 KB. Prints how many were read and returned, and which of them wrongly.
"""
import hashlib
import json
import sys
import time

import lithops

SIZE, LARGE = 5000, 200 << 10
runtime, objects, maps, each, large = sys.argv[1:2] + [int(n) for n in sys.argv[2:6]]


def content(name, size):
    return b''.join(hashlib.sha256(b'%s %d' % (name.encode(), i)).digest() for i in range(size // 32 + 1))[:size]


def read(obj, storage):
    found = [(obj.key, obj.data_stream.read())]
    for i in range(1, each):
        key = 'objects/%02d' % ((int(obj.key[-2:]) + i) % objects)
        found.append((key, storage.get_object(obj.bucket, key)))
    return [(key, len(data), data == content(key, SIZE)) for key, data in found]


def produce(x):
    return content(str(x), LARGE)


executor = lithops.FunctionExecutor(**({'runtime': runtime} if runtime else {}))
storage = executor.storage
for i in range(objects):
    storage.put_object(storage.bucket, 'objects/%02d' % i, content('objects/%02d' % i, SIZE))

out = {'reads': 0, 'results': 0, 'slowest': 0, 'wrong': []}
for _ in range(maps):
    start = time.time()
    futures = executor.map(read, '%s://%s/objects/' % (storage.backend, storage.bucket))
    for found in executor.get_result(futures, timeout=120):
        for key, size, right in found:
            out['reads'] += 1
            if not right:
                out['wrong'].append('%s: %d of %d bytes' % (key, size, SIZE))
    out['slowest'] = max(out['slowest'], time.time() - start)
for _ in range(large):
    futures = executor.map(produce, list(range(objects)))
    for x, data in enumerate(executor.get_result(futures, timeout=120)):
        out['results'] += 1
        if data != content(str(x), LARGE):
            out['wrong'].append('result %d: %d of %d bytes' % (x, len(data), LARGE))
print('RESULT ' + json.dumps(out))
