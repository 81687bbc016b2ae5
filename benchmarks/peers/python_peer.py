"""Python's clients as peers of the comparison.   python_peer.py requests|httpx|aiohttp BASE_URL

Each is used as its manual advises for many requests: a Session, or one AsyncClient or ClientSession. What is
read from standard input is said in turns.hpp.
"""

import asyncio
import concurrent.futures
import sys
import threading

BODY = ('{"model":"demo","messages":[{"role":"user",'
        '"content":"Please tell me something about rate limits."}]}').encode()
HEADERS = {"Authorization": "Bearer sk-bench-1", "Content-Type": "application/json", "Accept": "application/json"}


def turns():
    print("ready", flush=True)
    for line in sys.stdin:
        yield map(int, line.split())
        print("done", flush=True)


def with_requests(url: str) -> None:
    import requests

    mine = threading.local()  # a Session is not for several threads at once

    def post(count: int) -> None:
        if not hasattr(mine, "session"):
            mine.session = requests.Session()
            mine.session.headers.update(HEADERS)
        for _ in range(count):
            mine.session.post(url, data=BODY).raise_for_status()

    pools = {}
    for count, in_flight in turns():
        if in_flight not in pools:
            pools[in_flight] = concurrent.futures.ThreadPoolExecutor(in_flight)
        list(pools[in_flight].map(post, [count // in_flight] * in_flight))


async def in_tasks(post, count: int, in_flight: int) -> None:
    async def worker() -> None:
        for _ in range(count // in_flight):
            await post()

    await asyncio.gather(*(worker() for _ in range(in_flight)))


async def with_httpx(url: str) -> None:
    import httpx

    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(headers=HEADERS, limits=limits) as client:
        async def post() -> None:
            (await client.post(url, content=BODY)).raise_for_status()

        for count, in_flight in turns():
            await in_tasks(post, count, in_flight)


async def with_aiohttp(url: str) -> None:
    import aiohttp

    async with aiohttp.ClientSession(headers=HEADERS, raise_for_status=True) as session:
        async def post() -> None:
            async with session.post(url, data=BODY) as answer:
                await answer.read()

        for count, in_flight in turns():
            await in_tasks(post, count, in_flight)


def main() -> None:
    kind, url = sys.argv[1], sys.argv[2] + "/chat/completions"
    if kind == "requests":
        with_requests(url)
    else:
        asyncio.run({"httpx": with_httpx, "aiohttp": with_aiohttp}[kind](url))


if __name__ == "__main__":
    main()
