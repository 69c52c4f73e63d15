"""Draws docs/status.svg: a real run of superlance status at a terminal of its own.

Usage: picture.py SUPERLANCE SVG, with a Python that has supervisor installed; make picture does it.
"""
import html
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLUMNS, LINES = 104, 30
COMMAND = "superlance status -- -c -p api=250MB -g workers=60MB -p report=150MB"

# What a program does: megabytes of its own, children, and megabytes of each child. Children share
# what their parent had before, as the workers of a pre-forking server do.
LEAF = """
import os, signal, sys, time
own, children, each = map(int, sys.argv[1:])
data = b"x" * (own << 20)
for _ in range(children):
    if os.fork() == 0:
        data = data, b"x" * (each << 20)
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(0)
while True:
    signal.pause()
"""

CONFIG = """\
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid

[unix_http_server]
file={folder}/sock

[supervisorctl]
serverurl=unix://{folder}/sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[program:api]
command={python} {folder}/leaf.py 60 4 8

[program:workers]
process_name=worker_%(process_num)02d
numprocs=3
command={python} {folder}/leaf.py 20 1 %(process_num)s

[program:report]
command={python} {folder}/leaf.py 127 0 0

[program:cron]
command=sleep 1000

[program:import]
command=false
startretries=0

[program:backup]
command=sleep 1000
autostart=false
"""

# The picture is a dark window, so that it can be read on light pages and on dark ones.
BACKGROUND, FOREGROUND = "#1d1f21", "#d8dcdc"
COLOURS = {"32": "#8fce6a", "33": "#e8c35a", "31": "#ff6b60"}
CELL, LINE, MARGIN = 8.0, 19, 18


def main(superlance, svg):
    # The path of a unix socket must be short, hence no $TMPDIR.
    folder = Path(tempfile.mkdtemp(prefix="superlance-", dir="/tmp"))
    supervisord = None
    try:
        (folder / "leaf.py").write_text(LEAF)
        (folder / "supervisord.conf").write_text(CONFIG.format(folder=folder, python=sys.executable))
        supervisord = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", folder / "supervisord.conf"],
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, start_new_session=True)
        time.sleep(10)  # all have started, or given up
        svg.write_text(draw(run(superlance, folder)))
    finally:
        if supervisord:
            supervisord.terminate()
            supervisord.wait(timeout=15)
        shutil.rmtree(folder, ignore_errors=True)


def run(superlance, folder):
    """What the command prints at a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ.update(TERM="xterm", PATH=f"{superlance.parent}:{os.environ['PATH']}")
        os.environ.pop("NO_COLOR", None)
        subprocess.run(["stty", "cols", str(COLUMNS), "rows", str(LINES)], check=True)
        os.execvp("superlance", COMMAND.split())
    text = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            part = b""
        if not part:
            break
        text += part
    os.waitpid(child, 0)
    return text.decode().replace("\r", "").rstrip("\n").split("\n")


def draw(lines):
    lines = ["\033[2m$\033[m " + COMMAND] + lines
    width, height = COLUMNS * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" '
        f'width="{width:g}" height="{height}" font-size="13" '
        'font-family="ui-monospace,Menlo,Consolas,\'DejaVu Sans Mono\',monospace">',
        "<!-- A real run; make picture draws it again (tests/demo/picture.py). -->",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
    ]
    for number, line in enumerate(lines):
        column, codes = 0, []
        for text, code in re.findall("([^\033]+)|\033\\[([0-9;]*)m", line):
            if not text:
                codes = code.split(";") if code else []
                continue
            # Blanks move, so that columns are straight in every font.
            for word in re.finditer(r"\S+(?: \S+)*", text):
                out.append(span(word.group(), column + word.start(), number, codes))
            column += len(text)
    return "\n".join(out) + "\n</svg>\n"


def span(text, column, line, codes):
    fill = next((COLOURS[code] for code in codes if code in COLOURS), FOREGROUND)
    style = ' font-weight="bold"' if "1" in codes else ' opacity="0.6"' if "2" in codes else ""
    x, y = MARGIN + column * CELL, MARGIN + line * LINE + 13
    return (f'<text x="{x:g}" y="{y}" textLength="{len(text) * CELL:g}" '
            f'lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="{fill}"{style}>'
            f'{html.escape(text)}</text>')


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: picture.py SUPERLANCE SVG")
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
