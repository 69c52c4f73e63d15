"""An SMTP server that keeps what it gets, and misbehaves as it is told.

The arguments, and the files in its folder, are explained in smtp.rs and rules.rs.
"""

import argparse
import asyncio
import email
import email.policy
import functools
import itertools
import logging
import os
import pathlib
import re
import socket
import ssl

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--certificate")
parser.add_argument("--key")
parser.add_argument("--require-tls", action="store_true")
parser.add_argument("--implicit-tls", action="store_true")
parser.add_argument("--user")
parser.add_argument("--password", default="")
parser.add_argument("--without", action="append", default=[])
options = parser.parse_args()

RULES, MAILS = options.folder / "rules", options.folder / "mails"
SESSIONS = options.folder / "sessions"
NUMBERS = itertools.count()
FOREVER = 24 * 60 * 60


def take_rule(moment, detail):
    """What was said last about this moment, if anything."""
    for path in sorted(RULES.iterdir(), reverse=True):
        if path.name.startswith("."):
            continue
        lasts, wanted, action, argument = path.read_text().split("\n")[:4]
        if wanted in (moment, f"{moment} {detail}"):
            if lasts == "once":
                path.unlink()
            return action, argument
    return None, ""


def keep(session, envelope):
    """Writes a message that appears complete or not at all."""
    draft = MAILS / ".draft"
    draft.mkdir()
    parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
    content = parsed.get_body()
    fields = {
        "from": envelope.mail_from,
        "to": "\n".join(envelope.rcpt_tos),
        "message": envelope.content,
        "body": content.get_content() if content else "",
        "tls": "" if session.ssl or options.implicit_tls else None,
        "user": session.auth_data,
        "subject": parsed["Subject"],
    }
    for name, value in fields.items():
        if value is not None:
            data = value if isinstance(value, bytes) else str(value).encode(errors="replace")
            (draft / name).write_bytes(data)
    draft.rename(MAILS / str(len(list(MAILS.iterdir()))))


class Handler:
    async def handle_DATA(self, server, session, envelope):
        refusal = await server.follow_rule("MESSAGE")
        if refusal:
            return refusal
        keep(session, envelope)
        return "250 OK"


def context():
    if not options.certificate:
        return None
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(options.certificate, options.key)
    return secure


class Server(SMTP):
    def __init__(self):
        with_login = options.user is not None
        super().__init__(
            Handler(),
            hostname="localhost",
            ident="ready",
            timeout=FOREVER,
            tls_context=None if options.implicit_tls else context(),
            require_starttls=options.require_tls,
            auth_required=with_login,
            auth_require_tls=options.require_tls or not with_login,
            auth_exclude_mechanism=options.without,
            authenticator=self.authenticate,
            loop=asyncio.get_running_loop(),
        )
        for command, method in self._smtp_methods.items():
            self._smtp_methods[command] = functools.partial(self.command, command, method)
        self.greeted = False
        self.behave()
        self.mark = SESSIONS / str(next(NUMBERS))
        self.mark.touch()

    def connection_lost(self, error):
        self.mark.unlink(missing_ok=True)
        super().connection_lost(error)

    def authenticate(self, server, session, envelope, mechanism, data):
        wanted = options.user.encode(), options.password.encode()
        good = (data.login, data.password) == wanted
        return AuthResult(success=good, handled=False, auth_data=options.user)

    def behave(self):
        self.silent, self.pause = False, 0.0

    async def close(self):
        self.transport.close()
        await asyncio.sleep(FOREVER)

    async def follow_rule(self, moment, detail=""):
        """Misbehaves if it shall; a line is what to say instead of the usual."""
        self.behave()
        action, argument = take_rule(moment, detail)
        if action == "code":
            return f"{argument} as the test wants it"
        elif action == "close":
            await self.close()
        elif action == "never":
            await asyncio.sleep(FOREVER)
        elif action == "slow":
            await asyncio.sleep(float(argument))
        elif action == "drip":
            self.pause = float(argument)
        elif action == "close-after":
            self.silent = True

    async def command(self, command, method, argument):
        address = re.search("<(.*?)>", argument or "")
        detail = address[1] if address else (argument or "").split(" ")[0]
        refusal = await self.follow_rule(command, detail)
        await (self.push(refusal) if refusal else method(argument))

    async def push(self, status):
        if not self.greeted:
            self.greeted = True
            status = await self.follow_rule("CONNECT") or status
        if self.silent:
            await self.close()
        status = status if isinstance(status, bytes) else status.encode()
        if self.pause:
            for byte in status:
                self._writer.write(bytes([byte]))
                await self._writer.drain()
                await asyncio.sleep(self.pause)
            await super().push("")
        else:
            await super().push(status)
        if status.startswith(b"354"):
            await self.receive_content()

    async def receive_content(self):
        action, _ = take_rule("CONTENT", "")
        if action:
            await self._reader.readuntil(b"\n")
            await (asyncio.sleep(FOREVER) if action == "never" else self.close())


async def main():
    logging.disable()
    loop = asyncio.get_running_loop()
    loop.add_reader(0, os._exit, 0)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    secure = context() if options.implicit_tls else None
    server = await loop.create_server(
        Server, options.host, options.port, family=family, ssl=secure
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
