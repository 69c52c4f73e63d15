"""A program with a leak: six more megabytes every second, for half a minute at most."""
import os
import time

parent = os.getppid()
leak = []
while len(leak) < 30 and os.getppid() == parent:
    leak.append(b"x" * (6 << 20))
    time.sleep(1)
