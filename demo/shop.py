"""The shop: asks catalog, cart and payment."""

from service import Client, serve, work

client = Client()


def handle(path: list[str], body: bytes) -> tuple[int, object]:
    work(1)
    match path:
        case ["api", "products"]:
            return client.call("catalog", "GET", "/products")
        case ["api", "products", product]:
            return client.call("catalog", "GET", f"/products/{product}")
        case ["api", "cart", user]:
            return client.call("cart", "GET", f"/carts/{user}")
        case ["api", "checkout", user]:
            status, cart = client.call("cart", "GET", f"/carts/{user}")
            return (
                client.call("payment", "POST", "/charges", {"user": user, "cart": cart})
                if status == 200
                else (status, cart)
            )
        case ["healthz"]:
            return 200, "ok"
        case _:
            return 404, {"error": "no such page"}


serve("shop", handle)
