"""Queries the action proxy in the same container for its Python version and missing modules. Prints one line of JSON."""
import json
import sys
import time
from http.client import HTTPConnection

ACTION = '''
def main(args):
    import importlib
    import sys
    missing = {}
    for name in args['modules']:
        try:
            importlib.import_module(name)
        except BaseException as e:
            missing[name] = '%s: %s' % (type(e).__name__, e)
    return {'python': '%d.%d' % sys.version_info[:2], 'missing': missing}
'''


def post(path, body):
    connection = HTTPConnection('127.0.0.1', 8080, timeout=110)
    connection.request('POST', path, json.dumps(body), {'Content-Type': 'application/json'})
    response = connection.getresponse()
    text = response.read(1000000).decode('utf-8', 'replace')
    connection.close()
    return response.status, text


def check(modules):
    deadline = time.time() + 20
    while True:
        try:
            status, text = post('/init', {'value': {'name': 'check', 'main': 'main', 'code': ACTION, 'binary': False, 'env': {}}})
            break
        except OSError as e:
            if time.time() > deadline:
                return {'failure': 'port 8080 does not respond (%s)' % e}
            time.sleep(0.05)
    if status != 200:
        return {'failure': '/init returned status %d: %s' % (status, text)}
    status, text = post('/run', {'value': {'modules': modules}, 'action_name': 'check', 'deadline': str(int(time.time() * 1000) + 110000)})
    if status != 200:
        return {'failure': '/run returned status %d: %s' % (status, text)}
    return json.loads(text)


try:
    result = check(json.loads(sys.argv[1])['modules'])
except Exception as e:
    result = {'failure': 'its action proxy does not implement the protocol (%s: %s)' % (type(e).__name__, e)}
print(json.dumps(result))
