"""Typical work with boto3 or ibm_boto3: LIBRARY ENDPOINT ACCESS SECRET BUCKET."""

import hashlib
import importlib
import io
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from keys import ODD

library, endpoint, access, secret, bucket = sys.argv[1:]
boto3 = importlib.import_module(library)
core = importlib.import_module("botocore" if library == "boto3" else "ibm_botocore")
Config = importlib.import_module(core.__name__ + ".config").Config
ClientError = importlib.import_module(core.__name__ + ".exceptions").ClientError


def client(**config):
    return boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=access, aws_secret_access_key=secret,
                        region_name="us-east-1", config=Config(s3={"addressing_style": "path"}, **config))


s3 = client(max_pool_connections=16)


def refused(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, (code, e)
        return e.response
    raise AssertionError(f"{call.__name__} with {args} is not refused with {code}")


def listed(operation, **args):
    pages = s3.get_paginator(operation).paginate(Bucket=bucket, **args)
    return [o["Key"] for page in pages for o in page.get("Contents", [])]


def many():
    s3.create_bucket(Bucket=bucket)
    keys = [f"many/{i % 7}/{i:04}" for i in range(1500)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda k: s3.put_object(Bucket=bucket, Key=k, Body=k.encode()), keys))
    for operation in ("list_objects", "list_objects_v2"):
        assert listed(operation, Prefix="many/") == sorted(keys), operation
    page = s3.list_objects_v2(Bucket=bucket, Prefix="many/", Delimiter="/", FetchOwner=True)
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == [f"many/{i}/" for i in range(7)], page
    for i in range(0, 1500, 1000):
        out = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys[i:i + 1000]]})
        assert len(out["Deleted"]) == len(keys[i:i + 1000])
    refused("MalformedXML", s3.delete_objects, Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys[:1001]]})
    assert not listed("list_objects_v2", Prefix="many/")


def odd():
    for k in ODD:
        s3.put_object(Bucket=bucket, Key=k, Body=k.encode())
    assert listed("list_objects_v2") == sorted(ODD, key=str.encode)
    for k in ODD:
        assert s3.get_object(Bucket=bucket, Key=k)["Body"].read() == k.encode(), k
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": k})
        assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == k.encode(), k
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in ODD + ["copy"]], "Quiet": True})
    assert not listed("list_objects_v2")


def large():
    data = bytes(range(256)) * 4096 * 60
    s3.upload_fileobj(io.BytesIO(data), bucket, "large", ExtraArgs={"Metadata": {"m": "1"}, "ContentType": "text/x"})
    parts = [hashlib.md5(data[i:i + (8 << 20)]).digest() for i in range(0, len(data), 8 << 20)]
    head = s3.head_object(Bucket=bucket, Key="large")
    assert head["ETag"] == f'"{hashlib.md5(b"".join(parts)).hexdigest()}-{len(parts)}"', head
    assert s3.head_object(Bucket=bucket, Key="large", PartNumber=2)["ContentLength"] == 8 << 20
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copied")
    for k in ("large", "copied"):
        out = io.BytesIO()
        s3.download_fileobj(bucket, k, out)
        assert out.getvalue() == data, k
        if k == "large" or library == "boto3":  # the other library drops them in a multipart copy
            head = s3.head_object(Bucket=bucket, Key=k)
            assert head["Metadata"] == {"m": "1"} and head["ContentType"] == "text/x", head
    for text, first, last in (("0-0", 0, 1), ("8388600-8388620", 8388600, 8388621), ("-7", -7, None), ("62914550-99999999999999999999", 62914550, None)):
        got = s3.get_object(Bucket=bucket, Key="large", Range="bytes=" + text)["Body"].read()
        assert got == data[first:last], text
    refused("InvalidRange", s3.get_object, Bucket=bucket, Key="large", Range="bytes=99999999-")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    tags = [{"PartNumber": n, "ETag": s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=n, Body=b"small")["ETag"]} for n in (1, 2)]
    assert len(s3.list_parts(Bucket=bucket, Key="parts", UploadId=upload)["Parts"]) == 2
    assert s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]["UploadId"] == upload
    refused("EntityTooSmall", s3.complete_multipart_upload, Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": tags})
    one = {"Parts": tags[:1]}
    first = s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=one)
    assert s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=one)["ETag"] == first["ETag"]
    refused("NoSuchUpload", s3.abort_multipart_upload, Bucket=bucket, Key="parts", UploadId=upload)


def presigned():
    s3.put_object(Bucket=bucket, Key="a b/ü", Body=b"signed")
    for c in (s3, client(signature_version="s3v4"), client(signature_version="s3")):
        url = c.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b/ü", "ResponseContentType": "text/y"})
        with urllib.request.urlopen(url) as answer:
            assert answer.read() == b"signed" and answer.headers["Content-Type"] == "text/y"
        try:
            urllib.request.urlopen(url.replace("text%2Fy", "text%2Fz"))
            raise AssertionError("a changed URL is taken")
        except urllib.error.HTTPError as e:
            assert e.code == 403
        url = c.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "put", "ContentType": "text/p"})
        urllib.request.urlopen(urllib.request.Request(url, b"put", {"Content-Type": "text/p"}, method="PUT"))
        assert s3.get_object(Bucket=bucket, Key="put")["ContentType"] == "text/p"
        form = c.generate_presigned_post(bucket, "up/${filename}", Conditions=[["content-length-range", 1, 10]])
        assert post(form, "f ü.txt", b"form") == 204
        assert s3.get_object(Bucket=bucket, Key="up/f ü.txt")["Body"].read() == b"form"
        assert post(form, "f", b"more than is allowed") == 400


def post(form, name, data):
    """Sends a form as a page in a browser does."""
    parts = ['--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % field for field in form["fields"].items()]
    parts.append('--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % name)
    body = "".join(parts).encode() + data + b"\r\n--x--\r\n"
    try:
        return urllib.request.urlopen(urllib.request.Request(form["url"], body, {"Content-Type": "multipart/form-data; boundary=x"})).status
    except urllib.error.HTTPError as e:
        return e.code


def conditions():
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    refused("304", s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag)
    refused("PreconditionFailed", s3.get_object, Bucket=bucket, Key="k", IfMatch='"none"')
    refused("PreconditionFailed", s3.get_object, Bucket=bucket, Key="k", IfUnmodifiedSince="Thu, 01 Jan 2015 00:00:00 GMT")
    refused("PreconditionFailed", s3.copy_object, Bucket=bucket, Key="c", CopySource=f"{bucket}/k", CopySourceIfMatch='"none"')
    if library == "boto3":
        refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
        refused("PreconditionFailed", s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfMatch='"none"')
        refused("PreconditionFailed", s3.delete_object, Bucket=bucket, Key="k", IfMatch='"none"')
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"3")["ETag"]
        refused("PreconditionFailed", s3.complete_multipart_upload, Bucket=bucket, Key="k", UploadId=upload, IfNoneMatch="*",
                MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"


def metadata():
    said = {"CacheControl": "no-cache", "ContentLanguage": "de", "ContentEncoding": "x-own", "ContentDisposition": "inline"}
    s3.put_object(Bucket=bucket, Key="m", Body=b"1", Metadata={"one-two": "3"}, Tagging="a=1&b=2", **said)
    head = s3.head_object(Bucket=bucket, Key="m")
    assert {k: head[k] for k in said} == said and head["Metadata"] == {"one-two": "3"} and head["ContentType"] == "binary/octet-stream", head
    s3.copy_object(Bucket=bucket, Key="m", CopySource=f"{bucket}/m", MetadataDirective="REPLACE", Metadata={"new": "1"})
    head = s3.head_object(Bucket=bucket, Key="m")
    assert head["Metadata"] == {"new": "1"} and "CacheControl" not in head, head
    assert [t["Key"] for t in s3.get_object_tagging(Bucket=bucket, Key="m")["TagSet"]] == ["a", "b"]
    s3.put_object_tagging(Bucket=bucket, Key="m", Tagging={"TagSet": [{"Key": "c", "Value": "ü"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="m")["TagSet"] == [{"Key": "c", "Value": "ü"}]
    if library == "boto3":
        put = s3.put_object(Bucket=bucket, Key="s", Body=b"1", ChecksumAlgorithm="SHA256")
        got = s3.get_object_attributes(Bucket=bucket, Key="s", ObjectAttributes=["Checksum", "ObjectSize"])
        assert got["Checksum"]["ChecksumSHA256"] == put["ChecksumSHA256"] and got["ObjectSize"] == 1, got


def versions():
    name = bucket + "-versions"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    made = [s3.put_object(Bucket=name, Key="ü/k", Body=body)["VersionId"] for body in (b"1", b"22")]
    marker = s3.delete_object(Bucket=name, Key="ü/k")["VersionId"]
    refused("NoSuchKey", s3.get_object, Bucket=name, Key="ü/k")
    for version, body in zip(made, (b"1", b"22")):
        assert s3.get_object(Bucket=name, Key="ü/k", VersionId=version)["Body"].read() == body
        assert s3.head_object(Bucket=name, Key="ü/k", VersionId=version)["ContentLength"] == len(body)
    s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "ü/k", "VersionId": made[0]})
    assert s3.get_object(Bucket=name, Key="copy")["Body"].read() == b"1"
    s3.delete_object(Bucket=name, Key="ü/k", VersionId=marker)
    assert s3.get_object(Bucket=name, Key="ü/k")["VersionId"] == made[1]
    s3.delete_object(Bucket=name, Key="ü/k")
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=name)
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name, PaginationConfig={"PageSize": 2}):
        found += page.get("Versions", []) + page.get("DeleteMarkers", [])
    assert len(found) == 4 and sum(v["IsLatest"] for v in found) == 2, found
    s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in found]})
    s3.delete_bucket(Bucket=name)


def settings():
    """The settings that scripts set for a bucket, and the requests that tools send."""
    acl = s3.get_bucket_acl(Bucket=bucket)
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={"Owner": acl["Owner"], "Grants": acl["Grants"]})
    client(signature_version="s3").create_bucket(Bucket=bucket)  # again, which the default region allows
    refused("NotImplemented", s3.put_bucket_acl, Bucket=bucket, ACL="public-read")
    if library == "boto3":
        block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
        assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block
        refused("AccessDenied", s3.put_bucket_acl, Bucket=bucket, ACL="public-read")
        rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
        assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == rules
        refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket=bucket)
        refused("InvalidRequest", s3.get_object_retention, Bucket=bucket, Key="k")


def errors():
    answer = refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="none")
    assert answer["Error"]["Message"] and answer["ResponseMetadata"]["RequestId"], answer
    refused("404", s3.head_object, Bucket=bucket, Key="none")
    refused("NoSuchBucket", s3.list_objects_v2, Bucket="none-" + bucket)
    refused("NoSuchCORSConfiguration", s3.get_bucket_cors, Bucket=bucket)
    refused("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    for k in listed("list_objects_v2"):
        s3.delete_object(Bucket=bucket, Key=k)
    s3.delete_bucket(Bucket=bucket)


for work in (many, odd, large, presigned, conditions, metadata, versions, settings, errors):
    work()
