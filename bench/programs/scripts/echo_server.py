"""An asyncio server of arithmetic and its clients, in one process."""

import asyncio
import json
import random
import sys


class Server:
    def __init__(self):
        self.requests = 0
        self.log = []

    async def handle(self, reader, writer):
        while line := await reader.readline():
            self.requests += 1
            message = json.loads(line)
            try:
                reply = {"id": message["id"], "result": self.compute(message)}
            except (ZeroDivisionError, KeyError) as error:
                reply = {"id": message.get("id"), "error": type(error).__name__}
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        writer.close()

    def compute(self, message):
        values = message["values"]
        match message["op"]:
            case "sum":
                return sum(values)
            case "mean":
                return sum(values) / len(values)
            case "sort":
                return sorted(values)
            case op:
                raise KeyError(op)


async def client(port, number, count, results):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    rng = random.Random(number)
    for k in range(count):
        message = {
            "id": f"{number}/{k}",
            "op": rng.choice(["sum", "mean", "sort", "divide"]),
            "values": [rng.randint(0, 99) for _ in range(rng.randint(0, 20))],
        }
        writer.write(json.dumps(message).encode() + b"\n")
        await writer.drain()
        reply = json.loads(await reader.readline())
        assert reply["id"] == message["id"]
        results[reply["id"]] = reply.get("result", reply.get("error"))
    writer.close()
    await writer.wait_closed()


async def countdown(n):
    for k in range(n, 0, -1):
        yield k
        await asyncio.sleep(0)


async def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    service = Server()
    server = await asyncio.start_server(service.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    results = {}
    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(client(port, number, count, results))
    server.close()
    print("requests:", service.requests)
    errors = sorted(v for v in results.values() if isinstance(v, str))
    print("errors:", {name: errors.count(name) for name in sorted(set(errors))})
    numbers = [v for _, v in sorted(results.items()) if isinstance(v, (int, float))]
    print("sum of results: %.6f" % sum(numbers))
    print("countdown:", sum([k async for k in countdown(10 * count)]))
    try:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()
    except TimeoutError:
        print("timed out, as it should")


asyncio.run(main())
