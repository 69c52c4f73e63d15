"""wheel.py INSTALLED VERSION MACHINE OUT: packs an installed tree into a wheel, reproducibly.

The program is static, so one wheel is right for every glibc and for musl. A wheel has no links: each
command is a script of two lines that runs the program beside it.
"""

import base64
import hashlib
import os
import pathlib
import sys
import time
import zipfile

PLATFORM = "manylinux_2_12_{0}.manylinux2010_{0}.musllinux_1_1_{0}"
STUB = '#!/bin/sh\nexec "${{0%/*}}/superlance" {} "$@"\n'
METADATA = """\
Metadata-Version: 2.4
Name: superlance-rs
Version: {version}
Summary: Event listeners for supervisord: memmon, httpok, crashmail and the rest, in one program without Python
License-Expression: MIT OR Apache-2.0
License-File: LICENSE
License-File: NOTICE
Keywords: supervisor,superlance,memmon,httpok,crashmail
Classifier: Operating System :: POSIX :: Linux
Classifier: Topic :: System :: Monitoring
Description-Content-Type: text/markdown

{readme}"""
WHEEL = "Wheel-Version: 1.0\nGenerator: superlance\nRoot-Is-Purelib: false\n{tags}"


def members(installed, version, machine):
    """Yields (name, content, mode) of every file in the wheel but RECORD."""
    data, info = f"superlance_rs-{version}.data", f"superlance_rs-{version}.dist-info"
    for path in sorted((installed / "bin").iterdir()):
        stub = path.is_symlink()
        content = STUB.format(path.name).encode() if stub else path.read_bytes()
        yield f"{data}/scripts/{path.name}", content, 0o755
    for path in sorted((installed / "share").rglob("*")):
        if path.is_file():
            yield f"{data}/data/share/{path.relative_to(installed / 'share')}", path.read_bytes(), 0o644
    for name in ("LICENSE", "NOTICE"):
        yield f"{info}/licenses/{name}", pathlib.Path(name).read_bytes(), 0o644
    metadata = METADATA.format(version=version, readme=pathlib.Path("README.md").read_text())
    tags = [f"Tag: py3-none-{tag}\n" for tag in PLATFORM.format(machine).split(".")]
    yield f"{info}/METADATA", metadata.encode(), 0o644
    yield f"{info}/WHEEL", WHEEL.format(tags="".join(tags)).encode(), 0o644


def main(installed, version, machine, out):
    record = f"superlance_rs-{version}.dist-info/RECORD"
    target = pathlib.Path(out) / f"superlance_rs-{version}-py3-none-{PLATFORM.format(machine)}.whl"
    date = time.gmtime(max(int(os.environ["SOURCE_DATE_EPOCH"]), 315532800))[:6]
    lines = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for name, content, mode in members(pathlib.Path(installed), version, machine):
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(content)}\n")
            add(wheel, name, content, mode, date)
        add(wheel, record, "".join([*lines, f"{record},,\n"]).encode(), 0o644, date)
    print(target)


def add(wheel, name, content, mode, date):
    member = zipfile.ZipInfo(name, date)
    member.external_attr = (0o100000 | mode) << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    wheel.writestr(member, content)


if __name__ == "__main__":
    main(*sys.argv[1:])
