"""zoo_sign.py INDEX SECRET_KEY: signs an index anew, as docs/book/zoo.md says it is done."""

import ctypes
import ctypes.util
import re
import sys

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
sodium.sodium_init()
index, secret = sys.argv[1:]
with open(index) as f:
    body = re.fullmatch(r'(.*),\n  "signature": "[0-9a-f]{128}"\n}\n', f.read(), re.S).group(1)
with open(secret) as f:
    key = bytes.fromhex(f.read().split("\n")[1])
message = b"anpe zoo index 1\n" + body.encode()
signature = ctypes.create_string_buffer(64)
sodium.crypto_sign_detached(signature, None, message, ctypes.c_ulonglong(len(message)), key)
with open(index, "w") as f:
    f.write('%s,\n  "signature": "%s"\n}\n' % (body, signature.raw.hex()))
