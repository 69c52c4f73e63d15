"""Shows memmon at work: a supervisord of its own, a leaking program, the restart, the mail.

Usage: run.py SUPERLANCE, with a Python that has supervisor installed. Ends by itself within a
minute: with 0 when everything happened that should, otherwise with 1 and a message.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport

LIMIT_MB = 40
PATIENCE = 40  # seconds, for everything together

CONFIG = """\
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid

[unix_http_server]
file={folder}/sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[program:leaky]
command={python} {here}/leak.py

[eventlistener:memmon]
command={command}
events=TICK_5
stderr_logfile={folder}/memmon.log
"""


def main(superlance):
    # The path of a unix socket must be short, hence no $TMPDIR.
    folder = Path(tempfile.mkdtemp(prefix="memmon-demo-", dir="/tmp"))
    supervisord = None
    try:
        command = f"memmon -p leaky={LIMIT_MB}MB -m bob@example.com -s 'cat > {folder}/mail'"
        (folder / "memmon").symlink_to(superlance)
        (folder / "supervisord.conf").write_text(CONFIG.format(
            folder=folder, python=sys.executable, here=Path(__file__).resolve().parent,
            command=f"{folder}/{command}"))
        supervisord = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", folder / "supervisord.conf"],
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True)
        show(folder, command)
    finally:
        if supervisord:
            stop(supervisord)
        shutil.rmtree(folder, ignore_errors=True)


def show(folder, command):
    deadline = time.monotonic() + PATIENCE

    def wait(what, look, pause=0.1):
        while not (seen := look()):
            if time.monotonic() > deadline:
                fail(f"{what} did not happen within {PATIENCE} seconds", folder)
            time.sleep(pause)
        return seen

    def leaky():
        # A transport that failed to connect is of no more use, hence a new one each time.
        transport = SupervisorTransport(None, None, f"unix://{folder}/sock")
        try:
            server = xmlrpc.client.ServerProxy("http://localhost", transport)
            info = server.supervisor.getProcessInfo("leaky")
            return info if info["statename"] in ("STARTING", "RUNNING") else None
        except (OSError, xmlrpc.client.Error):
            return None

    title("supervisord runs this as an event listener")
    print(f"  [eventlistener:memmon]\n  command={command.replace(str(folder) + '/', '')}")
    print("  events=TICK_5")
    title("and a program that leaks")
    old = wait("the start of the leaking program", leaky)["pid"]

    def grown():
        info = leaky()
        if info and info["pid"] != old:
            return info["pid"]
        draw(old)
        return None

    new = wait("the restart", grown, pause=1)
    print(f"  restarted: pid {old} is now pid {new}")
    draw(new)
    mail = folder / "mail"
    wait("the mail", lambda: mail.exists() and "bytes RSS" in mail.read_text())
    title("memmon's log")
    indent((folder / "memmon.log").read_text())
    title("the mail it sent")
    indent(mail.read_text())


def draw(pid):
    """Prints how much memory a process uses, if it is there."""
    megabytes = resident(pid) >> 20
    if megabytes:
        colour = "31" if megabytes > LIMIT_MB else "32"
        print(f"  pid {pid:<8}{megabytes:>4} MB  {paint(colour, '#' * megabytes)}")


def resident(pid):
    if not Path("/proc/self/statm").exists():
        ps = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True)
        return int(ps.stdout.strip() or 0) << 10
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def title(text):
    print(f"\n{paint('1', text)}")


def indent(text):
    print("".join(f"  {line}\n" for line in text.splitlines()), end="")


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def fail(message, folder):
    for name in ("supervisord.log", "memmon.log"):
        if (folder / name).exists():
            title(name)
            indent((folder / name).read_text())
    sys.exit(f"demo: {message}")


def stop(supervisord):
    supervisord.terminate()
    try:
        supervisord.wait(timeout=15)
    except subprocess.TimeoutExpired:
        supervisord.kill()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: run.py SUPERLANCE")
    sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main(Path(sys.argv[1]).resolve())
    except KeyboardInterrupt:
        sys.exit(130)
