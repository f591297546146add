#!/usr/bin/env python3
"""A receiver for trying the gateway: takes POSTs on 127.0.0.1:9000 and prints what it gets."""

from http.server import BaseHTTPRequestHandler, HTTPServer


class Hook(BaseHTTPRequestHandler):
    """Answers every POST with 200."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(self.headers, body.decode(), sep="", flush=True)
        self.send_response(200)
        self.end_headers()


try:
    HTTPServer(("127.0.0.1", 9000), Hook).serve_forever()
except KeyboardInterrupt:
    pass
