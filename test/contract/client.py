"""Calls the functions of one Lithops release to derive names. Reads a JSON request from standard input and writes a JSON
response. Modules that Lithops imports and that do not matter here are replaced by empty ones."""
import copy, hashlib, importlib, json, os, shutil, sys, types, zipfile
from importlib.machinery import ModuleSpec

STUBS = set("""requests cloudpickle psutil pika tblib six numpy ps_mem ibm_boto3 ibm_botocore ibm_cloud_sdk_core ibm_code_engine_sdk boto3
botocore pandas tabulate tqdm click bs4 paramiko kubernetes redis docker mock lxml jwt httplib2 dateutil urllib3
certifi""".split())


class Anything(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *a, **k: a[0] if a and callable(a[0]) else None


class Empty(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(name, (Exception,), {"__init__": lambda self, *a, **k: None})


class Finder:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name.split(".")[0] in STUBS else None

    def create_module(self, spec):
        return Empty(spec.name)

    def exec_module(self, module):
        pass


class Token:
    def __init__(self, *a, **k):
        self._token_manager = None

    def get_token(self):
        return "token", 0


sys.meta_path.append(Finder())
question = json.load(sys.stdin)
sys.path[:0] = question["path"]

import yaml  # noqa: E402
import lithops  # noqa: E402
from lithops import config as lithops_config, utils  # noqa: E402
try:
    from lithops import constants
except ImportError:  # 2.2.0 - 2.2.3
    constants = lithops_config

BACKENDS = {"ibm_cf": "IBMCloudFunctionsBackend", "openwhisk": "OpenWhiskBackend"}
JOBS = question["jobs"]  # whether the release supports the current Code Engine API


class Project:
    """Code Engine with one project that has the name the client searches for."""
    ID, name = "11111111-2222-4333-8444-555555555555", None

    def __init__(self, *a, **k):
        pass

    def set_service_url(self, url):
        self.url = url

    def get_project(self, id):
        if id != self.ID:
            error = module("code_engine", "code_engine").ApiException("not found")
            error.status_code, error.message = 404, "not found"
            raise error
        return self.answer({"id": id, "name": self.name, "status": "active"})

    def list_projects(self):
        return self.answer({"projects": [{"id": self.ID, "name": self.name, "status": "active"}]})

    def answer(self, value):
        return types.SimpleNamespace(get_result=lambda: value)


def module(backend, name):
    return importlib.import_module("lithops.serverless.backends.%s.%s" % (backend, name))


def key_of(storage, key):
    """The object key that the client's own storage reads; older and newer releases join the same parts."""
    seen = []
    shutil.rmtree(constants.CACHE_DIR, ignore_errors=True)  # the client checks it first
    getattr(storage, "RUNTIME_META_CACHE", {}).clear()

    class Store:
        def get_object(self, bucket, obj_key, *a, **k):
            seen.append(obj_key)
            return b'{"x": 1}'

    internal = storage.InternalStorage.__new__(storage.InternalStorage)
    internal.storage, internal.backend, internal.bucket = Store(), "x", "b"
    internal.get_runtime_meta(key)
    return seen[0]


def jobs(case):
    """The values of compute(), for Code Engine."""
    full = lithops_config.default_config(config_data=yaml.safe_load(case["yaml"]), config_overwrite={"backend": {}})
    own = lithops_config.extract_serverless_config(full)["code_engine"]
    impl = module("code_engine", "code_engine")
    impl.CodeEngineV2 = Project
    obj = impl.CodeEngineBackend(own, None)
    Project.name = obj.project_name
    if case["cached"]:
        os.makedirs(os.path.dirname(obj.cache_file), exist_ok=True)
        with open(obj.cache_file, "w") as f:
            f.write(case["cached"])
    from lithops.storage import storage as storage_module
    names = []
    for image in case["images"]:
        for memory in case["memories"]:
            names.append([obj._format_jobdef_name(image, memory), key_of(storage_module, obj.get_runtime_key(image, memory))])
    try:
        default = obj._get_default_runtime_image_name()
    except Exception:
        default = ""
    return {
        "package": obj.project_name, "user_key": obj.user_key, "region": obj.region, "namespace": obj.namespace, "endpoint": "", "names": names,
        "memory": own["runtime_memory"], "timeout": own["runtime_timeout"], "images": [normal(case, image) for image in case["images"]],
        "storage": storage(full), "default": default, "python": lithops.utils.CURRENT_PY_VERSION, "cpu": own["runtime_cpu"],
    }


def refused_scales():
    """The pairs of CPU and memory that the client rejects."""
    if not JOBS:
        return []
    config, refused = module("code_engine", "config"), []
    for cpu in [0.125, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 10, 12]:
        for memory in [256, 512, 1024, 2048, 4096, 8192, 12288, 16384, 20480, 24576, 32768, 40960, 49152]:
            data = {"ibm": {"iam_api_key": "k", "resource_group_id": "g", "region": "eu-de"}, "code_engine": {"runtime_cpu": cpu, "runtime_memory": memory}}
            try:
                config.load_config(data)
            except Exception:
                refused.append([round(cpu * 1000), memory])
    return refused


def compute(case):
    backend = case["backend"]
    if backend == "code_engine":
        return jobs(case)
    data = yaml.safe_load(case["yaml"])
    full = lithops_config.default_config(config_data=data, config_overwrite={"backend": {}})
    section = lithops_config.extract_serverless_config(full)
    own = section[backend]
    impl = module(backend, backend)
    for name in ("IBMTokenManager", "IAMTokenManager"):
        setattr(impl, name, Token)
    impl.OpenWhiskClient = lambda *a, **k: types.SimpleNamespace()
    obj = getattr(impl, BACKENDS[backend])(own, None)
    form = getattr(obj, "_format_function_name", None) or obj._format_action_name
    from lithops.storage import storage as storage_module
    names = []
    for image in case["images"]:
        for memory in case["memories"]:
            names.append([form(image, memory), key_of(storage_module, obj.get_runtime_key(image, memory))])
    memory = own.get("runtime_memory") or section.get("runtime_memory")
    timeout = own.get("runtime_timeout") or section.get("runtime_timeout")
    return {
        "package": obj.package, "user_key": obj.user_key, "region": getattr(obj, "region", ""),
        "namespace": getattr(obj, "namespace_name", None) or getattr(obj, "namespace", ""),
        "endpoint": obj.endpoint, "names": names, "memory": memory, "timeout": timeout,
        "images": [normal(case, image) for image in case["images"]],
        "storage": storage(full),
    }


def normal(case, image):
    """The image that the client uses if a user requests this one."""
    data = yaml.safe_load(case["yaml"])
    backend = case["backend"]
    old = "serverless" in data
    data.setdefault("serverless", {})
    (data["serverless"] if old else data[backend])["runtime"] = image
    if old:
        data[backend].pop("runtime", None)
    full = lithops_config.default_config(config_data=data, config_overwrite={"backend": {}})
    return full["serverless"]["runtime"] if old else full[backend]["runtime"]


def storage(full):
    config = lithops_config.extract_storage_config(full)
    backend = config["backend"]
    own = config[backend]
    bucket = config.get("bucket") or own.get("storage_bucket")
    impl = importlib.import_module("lithops.storage.backends.%s" % backend)
    if not bucket and hasattr(impl.StorageBackend, "generate_bucket_name"):
        real = sys.modules[impl.StorageBackend.__module__]
        for name in ("IBMTokenManager", "IAMTokenManager", "COSTokenManager"):
            setattr(real, name, Token)
        bucket = impl.StorageBackend(copy.deepcopy(own)).generate_bucket_name()
    endpoint = own.get("endpoint", "")
    return {"backend": backend, "bucket": bucket, "region": own.get("region", ""), "endpoint": endpoint,
            "private": own.get("private_endpoint", "")}


def defaults(backend):
    config = module(backend, "config")
    return getattr(config, "RUNTIME_DEFAULT", None) or config.AVAILABLE_PY_RUNTIMES


def archive(backend, name="__main__.py"):
    path = os.path.join(question["temp"], backend + ".zip")
    entry = os.path.join(os.path.dirname(module(backend, "config").__file__), "entry_point.py")
    pack = getattr(utils, "create_handler_zip", None)
    if pack is None:  # 2.2.0 - 2.2.3
        pack = importlib.import_module("lithops.serverless.utils").create_function_handler_zip
    pack(path, entry, name)
    with zipfile.ZipFile(path) as z:
        return {n: hashlib.sha256(z.read(n)).hexdigest() for n in z.namelist()}


def refusal(case):
    """The error of the client's loader for a configuration; "" if it accepts the configuration."""
    try:
        full = lithops_config.default_config(config_data=yaml.safe_load(case["yaml"]), config_overwrite={"backend": {}})
        storage(full)
        return ""
    except Exception as e:
        return "%s: %s" % (type(e).__name__, e)


def config_file(search):
    """The file that the client loads if these exist."""
    home, work = os.environ["HOME"], question["work"]
    os.chdir(work)
    places = {"work": os.path.join(work, ".lithops_config"), "home": os.path.join(home, ".lithops", "config"),
              "old": os.path.join(home, ".lithops_config"), "env": os.path.join(work, "named")}
    for path in places.values():
        if os.path.exists(path):
            os.remove(path)
    os.environ.pop("LITHOPS_CONFIG_FILE", None)
    for name in search:
        os.makedirs(os.path.dirname(places[name]), exist_ok=True)
        open(places[name], "w").close()
        if name == "env":
            os.environ["LITHOPS_CONFIG_FILE"] = places[name]
    found = lithops_config.get_default_config_filename()
    for name, path in places.items():
        if found is not None and os.path.exists(found) and os.path.realpath(path) == os.path.realpath(found):
            return name
    return ""


def scalar(text):
    try:
        value = yaml.safe_load("k: " + text)["k"]
    except Exception:
        return ["invalid", 0]
    kind = type(value).__name__
    return [kind, value if kind in ("int", "str", "bool") else 0]


def accepted(name):
    try:
        utils.verify_runtime_name(name)
        return True
    except AttributeError:  # 2.2.0 - 2.2.4 do not have this check
        return True
    except AssertionError:
        return False


json.dump({
    "version": lithops.__version__ if hasattr(lithops, "__version__") else importlib.import_module("lithops.version").__version__,
    "compute": [compute(c) for c in question["cases"]],
    "refusals": [refusal(c) for c in question["damaged"]],
    "defaults": {b: defaults(b) for b in BACKENDS},
    "archives": dict({b: archive(b) for b in BACKENDS}, **({"code_engine": archive("code_engine", "lithopsentry.py")} if JOBS else {})),
    "scales": refused_scales(),
    "files": [config_file(s) for s in question["searches"]],
    "scalars": [scalar(s) for s in question["scalars"]],
    "accepted": [accepted(n) for n in question["names"]],
    "temp": getattr(constants, "LITHOPS_TEMP_DIR", None) or constants.STORAGE_DIR,
    "cache": constants.CACHE_DIR,
}, sys.stdout)
