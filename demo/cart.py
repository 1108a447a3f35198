"""The cart: what a user wants to buy."""

from service import Client, serve, work

client = Client()


def handle(path: list[str], body: bytes) -> tuple[int, object]:
    match path:
        case ["carts", user]:
            work(1)
            status, product = client.call("catalog", "GET", f"/products/{sum(map(ord, user)) % 20 + 1}")
            return status, {"user": user, "items": [product]}
        case _:
            return 404, {"error": "no such page"}


serve("cart", handle)
