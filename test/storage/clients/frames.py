"""Typical work with s3fs, pandas and pyarrow: ENDPOINT ACCESS SECRET BUCKET."""

import os
import sys
import urllib.request

import pandas as pd
import pyarrow.dataset as ds
import pyarrow.fs as arrow
import s3fs

from keys import ODD

endpoint, access, secret, bucket = sys.argv[1:]
options = {"key": access, "secret": secret, "client_kwargs": {"endpoint_url": endpoint, "region_name": "us-east-1"}}
fs = s3fs.S3FileSystem(**options)
fs.mkdir(bucket)

fs.pipe({f"{bucket}/many/{i:04}": b"x" for i in range(1500)})
assert len(fs.find(f"{bucket}/many")) == 1500
fs.rm(f"{bucket}/many", recursive=True)

odd = [k[:1000] for k in ODD if not k.endswith("/") and "//" not in k]  # these are directories in a file system
for k in odd:
    fs.pipe_file(f"{bucket}/odd/{k}", k.encode())
    assert fs.cat_file(f"{bucket}/odd/{k}") == k.encode(), k
assert len(fs.find(f"{bucket}/odd")) == len(odd)

data = bytes(range(256)) * 4096 * 60
with fs.open(f"{bucket}/large", "wb", block_size=10 << 20) as f:
    f.write(data)
with fs.open(f"{bucket}/large", "ab") as f:
    f.write(b"appended")
data += b"appended"
with fs.open(f"{bucket}/large", "rb") as f:
    f.seek(10485750)
    assert f.read(20) == data[10485750:10485770]
fs.invalidate_cache()
assert fs.size(f"{bucket}/large") == len(data)
fs.cp_file(f"{bucket}/large", f"{bucket}/copied")
fs.mv(f"{bucket}/copied", f"{bucket}/moved")
assert fs.cat_file(f"{bucket}/moved", start=-8) == b"appended"
for k, big in (("new", b"x"), ("large", b"x" * (12 << 20))):
    fs.pipe_file(f"{bucket}/{k}-once", big, mode="create")
    try:
        fs.pipe_file(f"{bucket}/{k}-once", big, mode="create")
    except OSError:  # s3fs's error for a 412
        continue
    raise AssertionError("an object that is there is created again")
with urllib.request.urlopen(fs.sign(f"{bucket}/large")) as answer:
    assert answer.read() == data
fs.setxattr(f"{bucket}/moved", copy_kwargs={"ContentType": "text/x"}, attribute="1")
assert fs.getxattr(f"{bucket}/moved", "attribute") == "1"
fs.put_tags(f"{bucket}/moved", {"a": "1"})
assert fs.get_tags(f"{bucket}/moved") == {"a": "1"}

frame = pd.DataFrame({"n": range(100_000), "group": [i % 3 for i in range(100_000)], "text": "text"})
frame.to_parquet(f"s3://{bucket}/frame.parquet", storage_options=options)
assert pd.read_parquet(f"s3://{bucket}/frame.parquet", columns=["n"], storage_options=options)["n"].sum() == sum(range(100_000))
frame.to_csv(f"s3://{bucket}/frame.csv.gz", index=False, storage_options=options)
assert len(pd.read_csv(f"s3://{bucket}/frame.csv.gz", storage_options=options)) == len(frame)
frame.to_parquet(f"s3://{bucket}/set", partition_cols=["group"], storage_options=options)
own = arrow.S3FileSystem(access_key=access, secret_key=secret, endpoint_override=endpoint, region="us-east-1",
                         tls_ca_file_path=os.environ["SSL_CERT_FILE"])
rows = ds.dataset(f"{bucket}/set", filesystem=own, partitioning="hive").to_table(filter=ds.field("group") == 1)
assert rows.num_rows == 33_333, rows.num_rows
with own.open_output_stream(f"{bucket}/arrow") as f:
    f.write(data)
assert own.get_file_info(f"{bucket}/arrow").size == len(data)
fs.invalidate_cache()
fs.rm(bucket, recursive=True)
assert not fs.exists(bucket)
