"""The rate-limited servers: what each allows, how it is started, and what it refused."""

import json
import pathlib
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import children  # noqa: E402

AMOUNT, WINDOW, DELAY = 50, 2.0, 0.02  # requests, seconds, seconds until an answer: 1 % of the window
MARGIN = 0.1  # of a window, by which a case begins later than its first window and ends earlier than its last
KEYS = [f"sk-goodput-{number}" for number in range(1, 5)]


def seconds(windows: int) -> float:
    """How long a case of so many windows takes."""
    return (windows - 2 * MARGIN) * WINDOW


class QuotaServer:
    """examples/quota_server by one of its rules. Its refusals name milliseconds: windows of two seconds stand for the
    usual minute, of which a whole second is less."""

    def __init__(self, rule: str, kind: str):
        self.rule = rule
        self.kind = kind
        self.name = {"per-token": "per token", "token-and-ip": "per token and IP"}[rule] + f", {kind} window"
        scopes = ["token", "egress"] if rule == "token-and-ip" else ["token"]
        self.limits = ",".join(f"{scope}={AMOUNT}/{WINDOW * 1000:.0f}" for scope in scopes)
        self.per_window = AMOUNT * (1 if rule == "token-and-ip" else len(KEYS))

    def capacity(self, windows: int) -> float:
        """Of so many windows, of which seconds() leaves out a little at either end."""
        return self.per_window * windows

    def start(self, _folder: pathlib.Path) -> tuple:
        delay = f"{DELAY * 1000:.0f}ms"
        child = children.Child(
            children.QUOTA_SERVER, "--tokens", ",".join(KEYS), "--rule", self.rule, "--limit", AMOUNT, "--window",
            f"{WINDOW:.0f}s", "--window-kind", self.kind, "--retry-after", "ms", "--delay", delay)
        return [child], child.line().rpartition(" ")[2] + "/v1"

    def begin(self) -> None:
        """Waits until a window has begun, where the server has fixed ones."""
        if self.kind == "fixed":
            time.sleep(WINDOW - time.time() % WINDOW + WINDOW * MARGIN)

    def refused(self, url: str) -> int:
        with urllib.request.urlopen(url.removesuffix("/v1") + "/_counts") as answer:
            return json.load(answer)["total"]["refused"]


class Nginx:
    """limit_req for each token: a bucket that fills evenly. Its refusals say nothing of when."""

    name = "nginx limit_req, per token"
    rate = AMOUNT / WINDOW
    limits = f"token={rate:.0f}/1000"

    def capacity(self, windows: int) -> float:
        """With what the buckets hold in the beginning."""
        return len(KEYS) * self.rate * (seconds(windows) + 1)

    def start(self, folder: pathlib.Path) -> tuple:
        upstream = children.Child(children.BUILD / "benchmark_server", int(DELAY * 1000))
        origin = upstream.line().removesuffix("/v1").removeprefix("http://")
        port = children.free_port()
        self.log = folder / "status"
        (folder / "nginx.conf").write_text(f"""
daemon off; pid {folder}/pid; error_log /dev/null crit; worker_processes 1;
events {{}}
http {{
  log_format status $status;
  access_log {self.log} status;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  limit_req_zone $http_authorization zone=token:1m rate={self.rate:.0f}r/s;
  limit_req_status 429;
  upstream answers {{ server {origin}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    keepalive_requests 1000000;
    location / {{
      limit_req zone=token burst={self.rate - 1:.0f} nodelay;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass http://answers;
    }}
  }}
}}
""")
        child = children.Child("nginx", "-c", folder / "nginx.conf")
        children.wait_for(port)
        return [upstream, child], f"http://127.0.0.1:{port}/v1"

    def begin(self) -> None:
        pass

    def refused(self, _url: str) -> int:
        return self.log.read_text().split().count("429")


SERVICES = [QuotaServer("per-token", "fixed"), QuotaServer("per-token", "rolling"),
            QuotaServer("per-token", "first-request"), QuotaServer("token-and-ip", "rolling"), Nginx()]
