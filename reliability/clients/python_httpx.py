"""Asks an API with httpx: python_httpx.py h2|http/1.1 URL CA-FILE GET-PATH POST-PATH RATE, until standard input ends.

It prints "answered" once it has an answer, and one line of JSON at the end with what became of its requests. It repeats nothing of
its own. Without arguments it prints its version.
"""

import asyncio
import collections
import json
import platform
import random
import ssl
import sys

import h2
import httpcore
import httpx

AT_ONCE = 20


async def main(protocol: str, url: str, ca_file: str, get_path: str, post_path: str, rate: str) -> None:
    answered = {"sent": 0, "ok": 0}
    errors: collections.Counter[str] = collections.Counter()
    stop = asyncio.Event()

    async def ask(client: httpx.AsyncClient, get: bool) -> str | None:
        try:
            if get:
                response = await client.get(url + get_path)
            else:
                response = await client.post(url + post_path, json={"id": "python"})
        except (httpx.HTTPError, OSError, RuntimeError) as error:
            return f"{type(error).__name__}: {error}"
        if response.status_code != 200:
            return f"status {response.status_code}"
        if (response.http_version == "HTTP/2") != (protocol == "h2"):
            return f"answered by {response.http_version}"
        return None

    async def ask_until_stopped(client: httpx.AsyncClient, first: int) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        count = first
        while True:
            due += random.random() * 2 * AT_ONCE / float(rate)
            await asyncio.sleep(max(0, due - loop.time()))
            if stop.is_set():
                return
            error = await ask(client, count % 2 == 0)
            count += 1
            answered["sent"] += 1
            if error is None:
                if answered["ok"] == 0:
                    print("answered", flush=True)
                answered["ok"] += 1
            else:
                errors[error] += 1

    async def until_input_ends() -> None:
        await asyncio.to_thread(sys.stdin.read)
        stop.set()

    trusting = ssl.create_default_context(cafile=ca_file)
    async with httpx.AsyncClient(http2=protocol == "h2", verify=trusting, timeout=30) as client:
        await asyncio.gather(until_input_ends(), *(ask_until_stopped(client, index) for index in range(AT_ONCE)))
    print(json.dumps({**answered, "errors": errors}))


if len(sys.argv) == 1:
    print(f"httpx {httpx.__version__}, httpcore {httpcore.__version__}, h2 {h2.__version__}, Python {platform.python_version()}")
else:
    asyncio.run(main(*sys.argv[1:]))
