"""Objects written here and read by calls, and the other way round; parts of an object; keys with unusual characters."""
import lithops


def shout(key, storage):
    text = storage.get_object(storage.bucket, key).decode()
    storage.put_object(storage.bucket, key + '!', text.upper())
    return storage.get_object(storage.bucket, key, extra_get_args={'Range': 'bytes=0-1'}).decode()


storage = lithops.Storage()
keys = ['example/storage/ü b', 'example/storage/plus+and%41', 'example/storage/deep/er']
for key in keys:
    storage.put_object(storage.bucket, key, 'value')
with lithops.FunctionExecutor() as fexec:
    print(fexec.map(shout, keys).get_result())
print([storage.get_object(storage.bucket, key + '!') for key in keys], len(storage.list_keys(storage.bucket, 'example/storage/')))
storage.delete_objects(storage.bucket, storage.list_keys(storage.bucket, 'example/storage/'))
