"""Typical work with minio-py: ENDPOINT ACCESS SECRET BUCKET."""

import io
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from minio import Minio, S3Error
from minio.commonconfig import REPLACE, ComposeSource, CopySource, Tags
from minio.deleteobjects import DeleteObject

from keys import ODD

endpoint, access, secret, bucket = sys.argv[1:]
s3 = Minio(endpoint=endpoint.removeprefix("https://"), access_key=access, secret_key=secret)
named = {"bucket_name": bucket}


def put(key, data, **args):
    return s3.put_object(object_name=key, data=io.BytesIO(data), length=len(data), **named, **args)


def get(key, **args):
    answer = s3.get_object(object_name=key, **named, **args)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def remove(keys):
    assert not list(s3.remove_objects(delete_object_list=[DeleteObject(k) for k in keys], **named))


assert not s3.bucket_exists(bucket_name=bucket)
s3.make_bucket(bucket_name=bucket)
assert s3.bucket_exists(bucket_name=bucket)

keys = [f"many/{i:04}" for i in range(1500)]
with ThreadPoolExecutor(16) as pool:
    list(pool.map(lambda k: put(k, k.encode()), keys))
assert [o.object_name for o in s3.list_objects(recursive=True, **named)] == keys
remove(keys)

odd = [k for k in ODD if k != "dir/"]  # it treats this key as a directory
for k in odd:
    put(k, k.encode())
    assert get(k) == k.encode(), k
assert [o.object_name for o in s3.list_objects(recursive=True, **named)] == sorted(odd, key=str.encode)
remove(odd)

data = bytes(range(256)) * 4096 * 60
made = put("large", data, part_size=10 << 20, metadata={"m": "1"})
assert made.etag.endswith("-6"), made.etag
assert get("large") == data and get("large", offset=10485750, length=20) == data[10485750:10485770]
s3.compose_object(object_name="composed", sources=[ComposeSource(bucket_name=bucket, object_name="large")] * 2, **named)
assert s3.stat_object(object_name="composed", **named).size == 2 * len(data)
s3.copy_object(object_name="copied", source=CopySource(bucket_name=bucket, object_name="large"), metadata_directive=REPLACE, metadata={"new": "1"}, **named)
stat = s3.stat_object(object_name="copied", **named)
assert stat.metadata.get("x-amz-meta-new") == "1" and "x-amz-meta-m" not in stat.metadata, stat.metadata

with urllib.request.urlopen(s3.presigned_get_object(object_name="large", **named)) as answer:
    assert answer.read() == data
urllib.request.urlopen(urllib.request.Request(s3.presigned_put_object(object_name="put", **named), b"put", method="PUT"))
assert get("put") == b"put"

tags = Tags.new_object_tags()
tags["a"] = "1"
s3.set_object_tags(object_name="put", tags=tags, **named)
assert s3.get_object_tags(object_name="put", **named) == tags
try:
    get("none")
    raise AssertionError("an object that is not there is read")
except S3Error as e:
    assert e.code == "NoSuchKey" and e.message, e
remove([o.object_name for o in s3.list_objects(recursive=True, **named)])
s3.remove_bucket(bucket_name=bucket)
