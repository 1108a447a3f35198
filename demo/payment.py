"""The payment: slow, and failing now and then."""

import json
import random

from service import serve, work


def handle(path: list[str], body: bytes) -> tuple[int, object]:
    match path:
        case ["charges"]:
            work(15)
            if random.random() < 0.05:
                return 503, {"error": "the bank does not answer"}
            return 200, {"charged": sum(item["price"] for item in json.loads(body)["cart"]["items"])}
        case _:
            return 404, {"error": "no such page"}


serve("payment", handle)
