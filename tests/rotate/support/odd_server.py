"""Answers a chat by what its prompt says: "refuse" gets a 400 that repeats the credential, "fail" a 500, "silent"
a 200 without a message, everything else "good". Prints its port; ends with its parent."""

import http.server
import json
import threading
import sys


class Odd(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = request["messages"][-1]["content"]
        if prompt == "refuse":
            return self.answer(400, {"error": {"message": "no: " + self.headers["Authorization"], "code": "bad_prompt"}})
        if prompt == "fail":
            return self.answer(500, {})
        return self.answer(200, {} if prompt == "silent" else {"choices": [{"message": {"content": "good"}}]})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
