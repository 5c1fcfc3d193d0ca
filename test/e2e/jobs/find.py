"""Prints what the unmodified client finds of a runtime, without running or deploying anything."""
import json
import sys

import lithops
from lithops.config import default_config, extract_serverless_config, extract_storage_config
from lithops.serverless import ServerlessHandler
from lithops.storage import InternalStorage

memory = int(sys.argv[1])
config = default_config()
storage = InternalStorage(extract_storage_config(config))
handler = ServerlessHandler(extract_serverless_config(config), storage)
backend = handler.backend
runtime = config[backend.name].get('runtime') or backend._get_default_runtime_image_name()
# Since 3.0 the version is part of the key that the backend derives.
args = (runtime, memory, lithops.__version__) if lithops.__version__ >= '3' else (runtime, memory)
key = handler.get_runtime_key(*args)
runtimes = handler.list_runtimes('all')
print('RESULT ' + json.dumps({
    'key': key,
    'metadata': storage.get_runtime_meta(key) is not None,
    'actions': [list(r) for r in runtimes],
}))
