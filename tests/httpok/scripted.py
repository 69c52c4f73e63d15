"""A web server that answers its requests as a script says, whatever process it is.

Its arguments are the port, the script, a file to count the requests of all processes in, and how many
seconds it needs to start. Each character of the script is an answer: "+" is well, "!" is 500, "h" is none;
the last one is that of all further requests.
"""

import http.server
import sys
import time

port, script, file, slowness = sys.argv[1:]


def count():
    try:
        with open(file) as requests:
            number = int(requests.read())
    except FileNotFoundError:
        number = 0
    with open(file, "w") as requests:
        requests.write(str(number + 1))
    return number


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = script[min(count(), len(script) - 1)]
        if answer == "+":
            self.send_response(200)
            self.end_headers()
        elif answer == "!":
            self.send_error(500)
        else:
            time.sleep(1000)


time.sleep(float(slowness))
http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()
