"""Counting clients in the network of the node. `python -m tests.cluster.load HOST HTTP GRPC [PATH [DEPLOYMENT]]`.

Prints a line of JSON with the counts every tenth of a second, until its standard input ends; then the last line.
"""

import asyncio
import json
import sys

from ..e2e.counting import Grpc, Rest

BODY = b'{"data":{"names":["a","b"],"tensor":{"shape":[1,2],"values":[1,1]}}}'


async def main(host: str, http: int, grpc: int, path: str = "/predict", deployment: str = "") -> None:
    rest = Rest(http, path, BODY, host=host)
    calls = Grpc(grpc, [("seldon", deployment)] if deployment else [], host=host)

    def tell() -> None:
        sys.stdout.write(json.dumps({"rest": vars(rest.counts), "grpc": vars(calls.counts)}) + "\n")
        sys.stdout.flush()

    async def keep_telling() -> None:
        while True:
            await asyncio.sleep(0.1)
            tell()

    telling = asyncio.ensure_future(keep_telling())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    telling.cancel()
    await asyncio.gather(rest.stop(), calls.stop())
    await calls.close()
    tell()


if __name__ == "__main__":
    host, http, grpc, *rest = sys.argv[1:]
    asyncio.run(main(host, int(http), int(grpc), *rest))
