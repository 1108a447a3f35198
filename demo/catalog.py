"""The catalog: products, and some that do not exist."""

from service import serve, work

PRODUCTS = {str(number): {"id": number, "name": f"Product {number}", "price": number * 250} for number in range(1, 21)}


def handle(path: list[str], body: bytes) -> tuple[int, object]:
    match path:
        case ["products"]:
            work(4)
            return 200, list(PRODUCTS.values())
        case ["products", product]:
            work(2)
            found = PRODUCTS.get(product)
            return (200, found) if found else (404, {"error": f"no product {product}"})
        case _:
            return 404, {"error": "no such page"}


serve("catalog", handle)
