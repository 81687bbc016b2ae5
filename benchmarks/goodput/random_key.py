"""A program over a rate-limited server as it is written without a pool: each call takes `random.choice(keys)`.

    random_key.py BASE_URL KEYS RETRIES [HEADER...]

RETRIES 0: a refusal is a lost call. 2: what the official Python SDK does by default (its README, "Retries": twice,
after 429 and 5xx alike, "with a short exponential backoff"; in its _base_client.py 0.5 s doubling to at most 8 s, less
up to a quarter, or the server's word up to a minute). What comes in and goes out is said in goodput/compare.
"""

import json
import os
import random
import sys
import threading
import time

import requests

CHAT = {"model": "demo", "messages": [{"role": "user", "content": "Please tell me something about rate limits."}]}


def pause(answer: requests.Response, retry: int) -> float:
    """Seconds until the SDK asks again."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1)):
        try:
            word = float(answer.headers.get(name, "")) * unit
        except ValueError:
            continue
        if 0 < word <= 60:
            return word
    return min(0.5 * 2 ** retry, 8) * (1 - 0.25 * random.random())


class Caller:
    """What the callers share."""

    def __init__(self, url: str, keys: list, retries: int, headers: dict):
        self.url, self.keys, self.retries, self.headers = url + "/chat/completions", keys, retries, headers
        self.lock, self.next = threading.Lock(), 0
        self.answered, self.lost = [], []

    def call(self, session: requests.Session) -> bool:
        headers = {"Authorization": "Bearer " + random.choice(self.keys), **self.headers}
        for retry in range(self.retries + 1):
            answer = session.post(self.url, json=CHAT, headers=headers)
            if answer.ok:
                return True
            if retry < self.retries:
                time.sleep(pause(answer, retry))
        return False

    def go_on(self, began: float, end: float, interval: float) -> None:
        """One caller: the next call at its time, or at once when that is past, until the end."""
        session = requests.Session()
        while True:
            with self.lock:
                due, self.next = began + self.next * interval, self.next + 1
            time.sleep(max(0.0, min(due, end) - time.monotonic()))
            sent = time.monotonic()
            if sent >= end:
                return
            good = self.call(session)
            now = time.monotonic()
            if now < end:
                (self.answered if good else self.lost).append((now - sent) * 1e3)


def main() -> None:
    url, keys, retries = sys.argv[1:4]
    caller = Caller(url, keys.split(","), int(retries), dict(line.split(": ", 1) for line in sys.argv[4:]))
    print("ready", flush=True)
    seconds, interval, count = map(float, input().split())
    began = time.monotonic()
    for _ in range(int(count)):
        threading.Thread(target=caller.go_on, args=(began, began + seconds, interval / 1e3), daemon=True).start()
    time.sleep(seconds)
    print(json.dumps({"answered": caller.answered[:], "lost": caller.lost[:]}), flush=True)
    os._exit(0)  # calls that still wait are no longer of interest


if __name__ == "__main__":
    main()
