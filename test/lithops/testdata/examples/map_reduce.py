"""A map whose results are added by one call, over values and over the lines of an object that is split into chunks."""
import lithops


def square(x):
    return x * x


def total(results):
    return sum(results)


def words(obj):
    return len(obj.data_stream.read().split())


with lithops.FunctionExecutor() as fexec:
    print(fexec.get_result(fexec.map_reduce(square, range(5), total)))
    storage = lithops.Storage()
    storage.put_object(storage.bucket, 'example/words/a.txt', b'a line of words\n' * 100_000)
    place = '%s://%s/example/words/' % (storage.backend, storage.bucket)
    print(fexec.get_result(fexec.map_reduce(words, place, total, obj_chunk_size=400_000)))
    storage.delete_object(storage.bucket, 'example/words/a.txt')
