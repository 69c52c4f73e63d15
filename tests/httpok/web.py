"""A web server that is well until a file names its process ID, and then ill in its own way.

Its arguments are the port, the way to be ill, the file, how many seconds it takes to stop, and for
https the certificate and the key.
"""

import http.server
import os
import signal
import ssl
import sys
import time

port, way, file, slowness, *certificate = sys.argv[1:]


def ill():
    try:
        with open(file) as names:
            return str(os.getpid()) == names.read()
    except FileNotFoundError:
        return False


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if not ill():
            print("well", flush=True)
            self.send_response(200)
            self.end_headers()
        elif way == "500":
            self.send_error(500)
        elif way == "silence":
            time.sleep(1000)
        elif way == "drip":
            for byte in b"HTTP/1.1 200 OK\r\n" * 100:
                self.wfile.write(bytes([byte]))
                time.sleep(1)
        # Otherwise the connection is closed without an answer.


def stop(*_):
    time.sleep(float(slowness))
    os._exit(0)


signal.signal(signal.SIGTERM, stop)
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
