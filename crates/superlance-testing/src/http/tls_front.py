"""TLS for a plain server: what comes in is decrypted and passed on, byte by byte if so it comes.

Its arguments are the port to listen at, the address and port to pass on to, certificate, key, and
the file for the server names that clients ask for (SNI), one on each line.
"""

import asyncio
import os
import ssl
import sys

port, host, target, certificate, key, names = sys.argv[1:]


def note_name(connection, name, context):
    with open(names, "a") as file:
        file.write(f"{name or ''}\n")


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass


async def serve(client_reader, client_writer):
    server_writer = None
    try:
        server_reader, server_writer = await asyncio.open_connection(host, int(target))
        pumps = pump(client_reader, server_writer), pump(server_reader, client_writer)
        pumps = [asyncio.ensure_future(pump) for pump in pumps]
        # TLS has no half-closed connections.
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    except OSError:
        pass
    finally:
        for writer in (client_writer, server_writer):
            if writer:
                writer.close()


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.sni_callback = note_name
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: None)
    loop.add_reader(0, os._exit, 0)
    server = await asyncio.start_server(serve, host, int(port), ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
