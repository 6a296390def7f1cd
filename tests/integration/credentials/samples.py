"""Credentials made up on the spot: names of example.com, secrets that nobody accepts."""
import base64
import json
import secrets
import subprocess
import urllib.parse


def new_secret():
    """Letters of both cases and digits, as tokens have them."""
    return "Zq" + base64.b32encode(secrets.token_bytes(15)).decode().swapcase() + "7Kd"


def kubeconfig(token, context="production"):
    # The comment gives base64 both characters in which its alphabets differ.
    return f"""# ???>>>~~~ ???>>>~~~ ???>>>~~~
apiVersion: v1
kind: Config
clusters:
- name: production
  cluster:
    server: https://cluster.example.com
users:
- name: deployer
  user:
    token: {token}
contexts:
- name: production
  context: {{cluster: production, user: deployer}}
current-context: {context}
"""


def private_key():
    return subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                          check=True, capture_output=True, text=True).stdout


def service_account(key):
    return json.dumps({"type": "service_account", "project_id": "shop", "private_key_id": secrets.token_hex(20),
                       "private_key": key, "client_email": "deployer@shop.iam.gserviceaccount.com",
                       "client_id": "104857600000000000000", "token_uri": "https://oauth2.googleapis.com/token"},
                      indent=2) + "\n"


def docker_config(user, password):
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return json.dumps({"auths": {"registry.example.com": {"auth": pair}}}) + "\n"


def one_line(text):
    return base64.b64encode(text.encode()).decode()


def wrapped(text, columns=76, end="\n"):
    line = one_line(text)
    return end.join(line[at:at + columns] for at in range(0, len(line), columns)) + end


def encodings(secret):
    """The secret as programs print it, each within something else."""
    raw = secret.encode()
    yield "as it is", secret
    yield "in JSON", json.dumps({"x": secret})
    yield "in a URL", "https://user:" + urllib.parse.quote(secret, safe="") + "@example.com/"
    for before in ("", "a", "ab"):
        for name, encode in (("base64", base64.b64encode), ("URL-safe base64", base64.urlsafe_b64encode)):
            yield f"{name} behind {len(before)}", encode(before.encode() + raw + b"zz").decode()


# --- variables as the runner's scripts have them (shells/bash.go) -------------------------------------------------------

def quoted(text):
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "'": "\\'", "\\": "\\\\"}
    escaped = "".join(named.get(chr(byte)) or (chr(byte) if 0x20 <= byte < 0x7f else f"\\x{byte:02x}")
                      for byte in text.encode())
    return f"$'{escaped}'"


def exports(variables, folder="/builds/group/polls.tmp"):
    lines = []
    for one in variables:
        if one.get("file"):
            path = f"{folder}/{one['key']}"
            lines += [f'mkdir -p "{folder}"', f"printf '%s' {quoted(one['value'])} > \"{path}\"",
                      f'export {one["key"]}="{path}"']
        else:
            lines.append(f"export {one['key']}={quoted(one['value'])}")
    return "\n".join(lines) + "\n"
