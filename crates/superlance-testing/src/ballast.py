"""A process of known size and manners, for tests of programs that watch memory.

The options are explained in ballast.rs, which writes them.
"""

import argparse
import os
import signal
import sys
import time

MB = 1024 * 1024

parser = argparse.ArgumentParser()
parser.add_argument("--mb", type=int, default=0)
parser.add_argument("--grow-mb", type=int, default=0)
parser.add_argument("--grow-every", type=float, default=1.0)
parser.add_argument("--children", type=int, default=0)
parser.add_argument("--child-mb", type=int, default=0)
parser.add_argument("--shared-mb", type=int, default=0)
parser.add_argument("--ignore-term", action="store_true")
parser.add_argument("--stop-after", type=float)
parser.add_argument("--exit-after", type=float)
parser.add_argument("--exit-code", type=int, default=0)
options = parser.parse_args()


def fill(mb):
    # Not bytearray(n): its pages would be untouched zeros, and take no memory.
    return b"x" * (mb * MB)


def be_child(ready):
    weight = fill(options.child_mb)
    parent = os.getppid()
    os.write(ready, b".")
    while os.getppid() == parent:
        time.sleep(0.1)
    os._exit(0)


def spawn_children():
    seen, ready = os.pipe()
    for _ in range(options.children):
        if os.fork() == 0:
            be_child(ready)
    for _ in range(options.children):
        os.read(seen, 1)


def stop_slowly(signum, frame):
    time.sleep(options.stop_after)
    sys.exit(0)


if options.ignore_term:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
elif options.stop_after is not None:
    signal.signal(signal.SIGTERM, stop_slowly)

# What is there before the children is theirs, too, and not copied until a process writes into it.
shared = fill(options.shared_mb)
# Before the parent has the rest of its size, which they do not share.
spawn_children()
weight = [fill(options.mb)]
print("ready", flush=True)

end = None if options.exit_after is None else time.monotonic() + options.exit_after
while end is None or time.monotonic() < end:
    pause = options.grow_every if options.grow_mb else 3600
    if end is not None:
        pause = min(pause, max(0.0, end - time.monotonic()))
    time.sleep(pause)
    weight.append(fill(options.grow_mb))
sys.exit(options.exit_code)
