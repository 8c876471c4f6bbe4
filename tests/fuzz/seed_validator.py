#!/usr/bin/python3
"""Makes the corpus of fuzz_validator: seed_validator.py FOLDER

Each seed: the chains (messages 0 to 6, in some order), then one message as it is, then changed."""
import os
import sys

MESSAGES = 24
CHAIN = bytes(b for i in range(7) for b in (i, 0, 0))
os.makedirs(sys.argv[1], exist_ok=True)
for m in range(MESSAGES):
    for kind in range(16):
        change = bytes([kind, m, 7 * m & 255, 11 * kind & 255])
        plain = bytes([m, 0, 8])
        changed = bytes([m, 1, 1]) + change
        order = CHAIN + plain + changed if kind % 2 else plain + changed + CHAIN
        if kind % 4 == 0:
            order += bytes([m, 8, 0])  # after the signatures' time
        if (m + kind) % 3 == 0:
            with open(os.path.join(sys.argv[1], f"{m:02d}-{kind:02d}"), "wb") as f:
                f.write(bytes([m * 16 + kind & 15]) + order)
