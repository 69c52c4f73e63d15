"""One hundred machines that crash at once before one real Alertmanager, on this machine.

usage: alerts.py PROGRAM [MACHINES]

MACHINES processes of `crashmail --webhook-format alertmanager` get the event of a crash each, as a supervisord
sends it; target/prometheus has Alertmanager (`make prometheus`). Prints how long it takes until all are there and
until all have ended, and what that costs.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

from run import free_ports, median, scene, wait

ROOT = pathlib.Path(__file__).resolve().parents[2] / "target/prometheus/usr"
ALERTMANAGER = ROOT / "bin/prometheus-alertmanager"
LASTS = 20


def main():
    program = os.path.abspath(sys.argv[1])
    machines = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    if not ALERTMANAGER.exists():
        sys.exit("alerts.py: there is no Alertmanager in target/prometheus: make prometheus")
    with scene() as (folder, running):
        measure(program, machines, folder, running)


def measure(program, machines, folder, running):
    port = free_ports(1)[0]
    (folder / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    # Debian's reads its template at one place only, so it gets a /usr/share of its own.
    script = (
        f"mount --bind {ROOT}/share /usr/share && exec {ALERTMANAGER} --config.file={folder}/alertmanager.yml"
        f" --storage.path={folder}/data --web.listen-address=127.0.0.1:{port} --cluster.listen-address="
    )
    alertmanager = subprocess.Popen(["unshare", "-rm", "sh", "-c", script], stderr=open(folder / "log", "wb"))
    running.append(alertmanager)

    def firing():
        try:
            return json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=10))
        except OSError:
            return None

    wait("Alertmanager to answer", lambda: firing() == [])
    options = ["--webhook", f"http://127.0.0.1:{port}", "--webhook-format", "alertmanager",
               "--alert-interval", f"{LASTS}s"]
    listeners = [start(program, options, number, folder) for number in range(machines)]
    running.extend(listeners)
    for listener in listeners:
        expect(listener, b"READY\n")
    idle, began = sum(map(cpu, listeners)), time.time()
    for listener in listeners:
        listener.stdin.write(event(b"processname:web groupname:web from_state:RUNNING expected:0 pid:7"))
        listener.stdin.flush()
    wait("all alerts", lambda: len(firing()) == machines)
    print(f"{machines} crashes at once: all shown after {time.time() - began:.1f} s")
    print(f"a listener, RSS: {median([listener.pid for listener in listeners], 'Rss')} kB,"
          f" CPU for the alert: {(sum(map(cpu, listeners)) - idle) / machines * 1000:.1f} ms")
    print(f"Alertmanager, RSS: {median([alertmanager.pid], 'Rss') // 1024} MB, CPU since its start: {cpu(alertmanager):.1f} s")
    wait("all to end", lambda: firing() == [], 120)
    print(f"none is left after {time.time() - began:.0f} s (--alert-interval {LASTS}s)")


def start(program, options, number, folder):
    name = f"crashmail{number}"
    environment = dict(os.environ, SUPERVISOR_ENABLED="1", SUPERVISOR_SERVER_URL=f"unix://{folder}/none",
                       SUPERVISOR_PROCESS_NAME=name, SUPERVISOR_GROUP_NAME=name)
    words = [program, "crashmail", *options, "--label", f"machine=m{number}"]
    log = open(folder / f"{name}.log", "wb")
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment)


def event(payload):
    header = "ver:3.0 server:supervisor serial:1 pool:p poolserial:1 eventname:PROCESS_STATE_EXITED"
    return f"{header} len:{len(payload)}\n".encode() + payload


def expect(listener, line):
    said = listener.stdout.readline()
    if said != line:
        sys.exit(f"alerts.py: a listener says {said!r} in the place of {line!r}")


def cpu(process):
    """Seconds of its threads, by the nanosecond."""
    threads = pathlib.Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


main()
