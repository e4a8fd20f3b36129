"""zoo_server.py DIRECTORY CERTIFICATE KEY PORT_FILE: serves a directory over https on a free port of this
machine, which it writes to PORT_FILE. Files in DIRECTORY tell it to be a bad server:

cut    N M: the next M answers for models end after N bytes, with the connection
slow   N: models come in pieces of N bytes, 5 ms apart
whole  models are always sent from their beginning, whatever was asked for
"""

import http.server
import os
import ssl
import sys
import time

directory, certificate, key, port_file = sys.argv[1:]


def setting(name):
    try:
        with open(os.path.join(directory, name)) as f:
            return [int(x) for x in f.read().split()]
    except FileNotFoundError:
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = os.path.join(directory, self.path.lstrip("/"))
        if ".." in self.path or not os.path.isfile(path):
            self.send_error(404)
            return
        with open(path, "rb") as f:
            data = f.read()
        is_model = path.endswith(".h5")
        first, wanted = 0, self.headers.get("Range")
        if wanted and not (is_model and setting("whole") is not None):
            first = int(wanted.split("=")[1].split("-")[0])
            self.send_response(206)
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(data) - 1, len(data)))
        else:
            self.send_response(200)
        with open(os.path.join(directory, "requests"), "a") as f:
            f.write("%s %d\n" % (self.path, first))
        data = data[first:]
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        cut, slow = (setting("cut"), setting("slow")) if is_model else (None, None)
        if cut and cut[1] > 0:
            with open(os.path.join(directory, "cut"), "w") as f:
                f.write("%d %d" % (cut[0], cut[1] - 1))
            self.wfile.write(data[: cut[0]])
            self.wfile.flush()
            self.close_connection = True
            return
        piece = slow[0] if slow else len(data) or 1
        for at in range(0, len(data), piece):
            self.wfile.write(data[at : at + piece])
            if slow:
                time.sleep(0.005)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + ".new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
server.serve_forever()
