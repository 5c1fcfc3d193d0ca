"""Unnamed objects that calls create and pass on."""
import lithops


def make(text, storage):
    return storage.put_cloudobject(text * 3)


def size(obj, storage):
    return len(storage.get_cloudobject(obj))


with lithops.FunctionExecutor() as fexec:
    objects = fexec.map(make, ['a', 'bc', 'def']).get_result()
    print(fexec.map(size, objects).get_result())
    fexec.clean(cs=objects)
    fexec.clean(clean_cloudobjects=True)
