"""Writes files with made-up credentials and near misses into a folder, and prints what must be found in which."""

import json
import pathlib
import random
import string
import sys
import zlib

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
BASE64URL = BASE62 + "-_"
ROUNDS = 200
# As they turn up: `{}` is the credential.
PLACES = {
    "plain.txt": "{}\n",
    "shop.env": "SYNCGRAM_API_KEY={}\n",
    "client.py": 'KEY = "{}"  # for now\n',
    "config.json": '{{"auth": {{"key": "{}"}}}}\n',
    "compose.yaml": "    - key: '{}'\n",
    "log.jsonl": '{{"text": "before\\n{}\\nafter"}}\n',
    "access.log": "GET /callback?key={}&state=1 HTTP/1.1\n",
    "encoded.log": "GET /callback?u=https%3A%2F%2Fx%3Fkey%3D{}%26state%3D1 HTTP/1.1\n",
    "notes.md": "Call it with `Authorization: Bearer {}`, please.\n",
}


def characters(alphabet, count):
    return "".join(random.choice(alphabet) for _ in range(count))


def api_key():
    body = random.choice(("sk_test_", "sk_live_")) + characters(BASE62, 32)
    rest, checksum = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        checksum = BASE62[digit] + checksum
    return body + checksum


def near_misses():
    """What only looks like a credential, or is a sample."""
    key = api_key()
    yield key[:-1]
    yield key + "0"
    yield key.replace("sk_", "pk_", 1)
    yield key[:20] + "-" + key[21:]
    yield key[:8] + "…" + key[-4:]
    for sample in ("0" * 38, "x" * 38, "X" * 38, "EXAMPLE" + key[-31:]):
        yield key[:8] + sample
    yield "rt_" + characters(BASE64URL, 111)
    yield "rt_" + characters(BASE64URL, 113)
    yield "sta" + "rt_" + characters(BASE64URL, 112)
    yield "rt_" + "a" * 112


def main(folder):
    folder.mkdir(parents=True)
    expected = []
    for name, place in PLACES.items():
        lines = []
        for n in range(ROUNDS):
            credential = api_key() if n % 2 == 0 else "rt_" + characters(BASE64URL, 112)
            lines.append(place.format(credential))
            expected.append([name, credential])
        (folder / name).write_text("".join(lines))
    # A file that ends with it.
    for name, credential in (("key", api_key()), ("token", "rt_" + characters(BASE64URL, 112))):
        (folder / name).write_text(credential)
        expected.append([name, credential])
    misses = (place.format(it) for _ in range(ROUNDS // 10) for it in near_misses() for place in PLACES.values())
    (folder / "misses.txt").write_text("".join(misses))
    print(json.dumps(expected))


main(pathlib.Path(sys.argv[1]))
