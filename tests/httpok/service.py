"""A service that is well until a file names its process ID, and then ill in its own way.

Its arguments are the way, the file, and where it listens (a port or the path of a unix socket) or what
it touches.
"""

import os
import socket
import sys
import time

way, file, place = sys.argv[1:]


def ill():
    try:
        with open(file) as names:
            return str(os.getpid()) == names.read()
    except FileNotFoundError:
        return False


def listen():
    if place.isdigit():
        return socket.create_server(("127.0.0.1", int(place)))
    if os.path.exists(place):
        os.unlink(place)
    server = socket.socket(socket.AF_UNIX)
    server.bind(place)
    server.listen()
    return server


if way == "beat":
    while not ill():
        open(place, "w").close()
        time.sleep(0.2)
    time.sleep(1000)

server = listen()
server.settimeout(0.2)
kept = []
while True:
    try:
        connection, _ = server.accept()
    except TimeoutError:
        if ill() and way == "close":
            break
        continue
    if ill():
        # It is accepted, and no answer comes.
        kept.append(connection)
        continue
    connection.settimeout(5)
    connection.recv(4096)
    connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"status": "ok"}')
    connection.close()
server.close()
time.sleep(1000)
