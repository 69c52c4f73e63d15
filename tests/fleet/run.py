"""One hundred machines' worth of `superlance metrics --listen` before one real Prometheus, on this machine.

usage: run.py PROGRAM [SOURCES [MINUTES]]

A real supervisord (from the Python that runs this) has twenty programs and a `superlance metrics --file` as an
event listener. SOURCES processes of `superlance metrics --listen` ask it; target/prometheus has Prometheus
(`make prometheus`), which scrapes each of them every 15 seconds and evaluates the alert rules of
docs/examples/prometheus. What that costs is printed. One source is stopped at the end, as a machine that goes.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "target/prometheus/usr/bin/prometheus"
PROGRAMS = 20
TICKS = os.sysconf("SC_CLK_TCK")


def main():
    program = os.path.abspath(sys.argv[1])
    sources = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    minutes = float(sys.argv[3]) if len(sys.argv) > 3 else 5
    if not PROMETHEUS.exists():
        sys.exit("run.py: there is no Prometheus in target/prometheus: make prometheus")
    with scene() as (folder, running):
        measure(program, sources, minutes, folder, running)


@contextlib.contextmanager
def scene():
    """A folder, and a list for processes; at the end the processes are ended and the folder is removed."""
    folder, running = pathlib.Path(tempfile.mkdtemp(prefix="fleet.")), []
    try:
        yield folder, running
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(30)
        shutil.rmtree(folder)


def measure(program, sources, minutes, folder, running):
    def start(*words):
        log = open(folder / f"{len(running)}.log", "wb")
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder)
        running.append(process)
        return process

    (folder / "supervisord.conf").write_text(configuration(program, folder))
    supervisord = start(sys.executable, "-m", "supervisor.supervisord", "-n", "-c", "supervisord.conf")
    textfile = folder / "supervisord.prom"
    wait("the listener to write", lambda: textfile.exists() and f'name="{PROGRAMS - 1}"' in textfile.read_text())
    url = f"unix://{folder}/s.sock"
    ports = free_ports(sources + 1)
    exporters = [start(program, "metrics", "-s", url, "--listen", f"127.0.0.1:{port}") for port in ports[1:]]
    (folder / "prometheus.yml").write_text(scraping(ports[1:]))
    prometheus = start(
        PROMETHEUS, "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{ports[0]}",
        "--storage.tsdb.path=data", "--log.level=warn")

    def ask(query):
        address = f"http://127.0.0.1:{ports[0]}/api/v1/query?query={urllib.parse.quote(query)}"
        try:
            answer = json.load(urllib.request.urlopen(address, timeout=10))
        except OSError:
            return []
        return [float(result["value"][1]) for result in answer["data"]["result"]]

    def own(name):
        text = urllib.request.urlopen(f"http://127.0.0.1:{ports[0]}/metrics", timeout=10).read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (.*)$", text, re.M))

    wait("all to be scraped", lambda: ask("sum(up)") == [sources], 120)
    listener = int(re.search(r"^metrics\s+RUNNING\s+pid (\d+)", status(folder), re.M)[1])
    everyone = {"sources": [exporter.pid for exporter in exporters], "listener": [listener],
                "supervisord": [supervisord.pid], "prometheus": [prometheus.pid]}
    before, began = {name: cpu(pids) for name, pids in everyone.items()}, time.time()
    appended = own("prometheus_tsdb_head_samples_appended_total")
    time.sleep(minutes * 60)
    spent, used = time.time() - began, {name: cpu(pids) - before[name] for name, pids in everyone.items()}
    size = len(urllib.request.urlopen(f"http://127.0.0.1:{ports[1]}/metrics").read())

    print(f"{sources} sources of {PROGRAMS + 1} processes each, scraped every 15 s for {minutes:g} min")
    print(f"one source, RSS: {median(everyone['sources'], 'Rss')} kB, PSS: {median(everyone['sources'], 'Pss')} kB")
    scrapes = sources * spent / 15
    print(f"one source, CPU: {used['sources'] / scrapes * 1000:.2f} ms a scrape")
    print(f"listener with --file at TICK_60, RSS: {median([listener], 'Rss')} kB, PSS: {median([listener], 'Pss')} kB,"
          f" CPU: {used['listener'] / spent * 60 * 1000:.1f} ms a minute")
    print(f"supervisord, CPU: {used['supervisord'] / scrapes * 1000:.2f} ms for each answer")
    print(f"one scrape: {size} bytes, {ask('avg(scrape_samples_scraped)')[0]:.0f} samples,"
          f" {statistics.median(ask('scrape_duration_seconds')) * 1000:.1f} ms in the median,"
          f" {max(ask('max_over_time(scrape_duration_seconds[5m])')) * 1000:.1f} ms at most")
    print(f"Prometheus: {own('prometheus_tsdb_head_series'):.0f} series,"
          f" RSS {median([prometheus.pid], 'Rss') // 1024} MB, CPU {used['prometheus'] / spent * 100:.1f} % of a core,"
          f" {(own('prometheus_tsdb_head_samples_appended_total') - appended) / spent:.0f} samples a second")
    print(f"scrapes that failed: {ask('sum(count_over_time(up[1h]) - sum_over_time(up[1h]))')[0]:.0f};"
          f" alerts: {ask('count(ALERTS) or vector(0)')[0]:.0f}")
    exporters[0].terminate()
    gone = time.time()
    wait("the machine that went to be seen", lambda: ask("count(up == 0)") == [1.0], 60)
    print(f"a source that was stopped is seen after {time.time() - gone:.0f} s (up == 0)")


def configuration(program, folder):
    sections = [
        f"[supervisord]\nlogfile={folder}/supervisord.log\npidfile={folder}/pid\n",
        f"[unix_http_server]\nfile={folder}/s.sock\n",
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n",
        f"[supervisorctl]\nserverurl=unix://{folder}/s.sock\n",
        f"[program:web]\ncommand=sleep 100000\nnumprocs={PROGRAMS}\nprocess_name=%(process_num)d\n",
        f"[eventlistener:metrics]\ncommand={program} metrics --file {folder}/supervisord.prom\nevents=TICK_60\n",
    ]
    return "\n".join(sections)


def scraping(ports):
    targets = ", ".join(f"127.0.0.1:{port}" for port in ports)
    return (
        f"global: {{scrape_interval: 15s, evaluation_interval: 15s}}\n"
        f"rule_files: ['{ROOT}/docs/examples/prometheus/superlance.rules.yml']\n"
        f"scrape_configs:\n  - job_name: supervisord\n    static_configs: [{{targets: [{targets}]}}]\n"
    )


def status(folder):
    command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", "supervisord.conf", "status"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


def cpu(pids):
    """Seconds of all of these processes."""
    def of(pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return sum(map(of, pids))


def median(pids, what):
    def of(pid):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(re.search(rf"^{what}:\s+(\d+) kB", text, re.M)[1])
    return round(statistics.median(map(of, pids)))


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait(what, holds, limit=60):
    deadline = time.time() + limit
    while not holds():
        if time.time() > deadline:
            sys.exit(f"{sys.argv[0]}: waited {limit} s in vain for {what}")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
