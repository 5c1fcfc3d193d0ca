"""Replacement for the action proxy of openwhisk-runtime-docker: the HTTP side, with Flask on gevent. See README.md."""
import base64
import io
import os
import sys
import zipfile

import flask
from gevent.pywsgi import WSGIServer

SENTINEL = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n'
app = flask.Flask(__name__)
state = {'initialized': False, 'runner': None}


class Runner:
    """The part that depends on the language: prepare(message) and call(args); ready() after prepare."""

    folder = '/action'

    def unpack(self, message):
        if not message.get('binary'):
            return
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(message['code']))) as archive:
            archive.extractall(self.folder)


def answer(status, value, end=True):
    response = flask.jsonify(value)
    response.status_code = status
    if end:  # the end of the activation's log
        for stream in (sys.stdout, sys.stderr):
            stream.write(SENTINEL)
            stream.flush()
    return response


def value_of(message):
    if message and not isinstance(message, dict):
        return None
    value = (message or {}).get('value', {})
    return value if isinstance(value, dict) else None


@app.route('/init', methods=['POST'])
def init():
    if state['initialized'] and os.environ.get('PROXY_ALLOW_REINIT') != '1':
        text = 'Cannot initialize the action more than once.'
        sys.stderr.write(text + '\n')
        return answer(403, {'error': text}, end=False)
    value = value_of(flask.request.get_json(force=True, silent=True))
    if value is None:
        flask.abort(404)
    done = False
    if value.get('code') is not None:
        try:
            state['runner'].unpack(value)
            done = state['runner'].prepare(value) and state['runner'].ready()
        except Exception as e:
            print('err', e)
    if not done:
        return answer(502, {'error': 'The action failed to generate or locate a binary. See logs for details.'})
    state['initialized'] = True
    return 'OK', 200  # no sentinels after a successful /init


@app.route('/run', methods=['POST'])
def run():
    message = flask.request.get_json(force=True, silent=True) or {}
    args = value_of(message)
    if args is None:
        return answer(404, {'error': 'The action did not receive a dictionary as an argument.'})
    if not state['runner'].ready():
        return answer(502, {'error': 'The action failed to locate a binary. See logs for details.'})
    try:
        for name, value in message.items():
            if name != 'value':
                os.environ['__OW_' + name.upper()] = value
        status, result = state['runner'].call(args)
        return answer(status, result)
    except Exception as e:
        return answer(500, {'error': 'Internal error. %s' % e})


def main(runner):
    state['runner'] = runner
    os.chdir(runner.folder)
    WSGIServer(('0.0.0.0', int(os.getenv('FLASK_PROXY_PORT', 8080))), app, log=None).serve_forever()
