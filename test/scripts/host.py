#!/usr/bin/env python3
"""Imitates the IBM Cloud CLI for three accounts: 'login' accepts an API key and writes its session, 'logout' deletes the
session, and 'fn-runtime' runs the installed plug-in as the host does. The proxy of the account that is logged in connects
IBM Cloud's host names to the account's endpoint."""
import json, os, sys

accounts = json.load(open(os.environ["FAKE_ACCOUNTS"]))
home = os.path.join(os.environ["IBMCLOUD_HOME"], ".bluemix")
config = os.path.join(home, "config.json")
args = sys.argv[1:]
with open(os.environ["FAKE_ACCOUNTS"] + ".calls", "a") as calls:
    calls.write(json.dumps(args) + "\n")


def login(args):
    given = args[args.index("--apikey") + 1]
    if not given.startswith("@"):
        sys.exit("FAILED\nThis test takes keys from files only.")
    key = json.load(open(given[1:]))["apikey"]
    for name, account in accounts.items():
        if account["key"] != key:
            continue
        os.makedirs(home, exist_ok=True)
        with open(config, "w") as out:
            json.dump({
                "APIEndpoint": "https://cloud.ibm.com", "CloudName": "bluemix", "CloudType": "public",
                "Region": args[args.index("-r") + 1], "RegionID": args[args.index("-r") + 1], "IAMEndpoint": "https://iam.cloud.ibm.com",
                "IAMToken": "Bearer " + account["token"], "IAMRefreshToken": "refresh",
                "Account": {"GUID": name, "Name": name, "Owner": name},
                "ResourceGroup": {"GUID": "group-of-" + name, "Name": args[args.index("-g") + 1]},
            }, out)
        return
    sys.exit("FAILED\nProvided API key could not be found.")


def plugin(args):
    name = json.load(open(config))["Account"]["GUID"] if os.path.exists(config) else ""
    env = dict(os.environ, IBMCLOUD_PLUGIN_NAMESPACE="fn-runtime", IBMCLOUD_CLI="ibmcloud")
    if name:
        env.update(HTTPS_PROXY=accounts[name]["proxy"], SSL_CERT_FILE=accounts[name]["ca"], NO_PROXY="")
    program = os.path.join(home, "plugins", "fn-runtime", "fn-runtime")
    os.execve(program, [program] + args, env)


if args[0] == "login":
    login(args)
elif args[0] == "logout":
    os.path.exists(config) and os.remove(config)
elif args[0] in ("fn-runtime", "fnr"):
    plugin(args[1:])
else:
    sys.exit("FAILED\nThis test knows no 'ibmcloud " + args[0] + "'.")
