"""Path clustering finds the endpoints of services as people write them."""

import random
import string

import pytest

from sylph.tables.types import DataType
from tests.functions.support import literal

NAMES = [
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "judy",
    "mallory",
    "niaj",
    "olivia",
    "peggy",
    "rupert",
    "sybil",
    "trent",
    "victor",
    "walter",
]
WORDS = [
    "red",
    "blue",
    "big",
    "fast",
    "summer",
    "winter",
    "shoes",
    "jacket",
    "phone",
    "case",
    "guide",
    "intro",
    "how",
    "to",
    "build",
    "rust",
    "python",
]


class Made:
    """What stands for a parameter, by what it is."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def __getitem__(self, kind: str) -> str:
        rng = self.rng
        match kind:
            case "id":
                return str(rng.randint(1, 99_999))
            case "uuid":
                return f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4000-8000-{rng.getrandbits(48):012x}"
            case "name":
                return rng.choice(NAMES)
            case "word":
                return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 9)))
            case "slug":
                return "-".join(rng.choices(WORDS, k=rng.randint(2, 5)))
            case "hash":
                return f"{rng.getrandbits(160):040x}"
            case "short":
                return f"{rng.getrandbits(36):09x}"
            case "token":
                return "".join(rng.choices(string.ascii_letters + string.digits + "_-", k=22))
            case "year":
                return str(rng.randint(2015, 2026))
            case "month":
                return f"{rng.randint(1, 12):02d}"
        raise AssertionError(kind)


#: Forms of paths by their endpoint. {kind} is a parameter.
SHOP = {
    "/": "/", "/healthz": "/healthz", "/metrics": "/metrics", "/favicon.ico": "/favicon.ico", "/robots.txt": "/robots.txt", "/graphql": "/graphql",
    "/api/v1/users": "/api/v1/users?page={id}", "/api/v1/orders": "/api/v1/orders", "/api/v1/products": "/api/v1/products", "/api/v1/login": "/api/v1/login",
    "/api/v1/logout": "/api/v1/logout", "/api/v1/search": "/api/v1/search?q={word}", "/api/v1/cart": "/api/v1/cart", "/api/v1/status": "/api/v1/status",
    "/api/v2/users": "/api/v2/users", "/api/v1/users/*": "/api/v1/users/{id}", "/api/v2/users/*": "/api/v2/users/{id}", "/api/v1/users/*/orders": "/api/v1/users/{id}/orders",
    "/api/v1/users/*/orders/*": "/api/v1/users/{id}/orders/{uuid}", "/api/v1/users/*/settings": "/api/v1/users/{id}/settings", "/api/v1/products/*": "/api/v1/products/{slug}",
    "/api/v1/products/*/reviews": "/api/v1/products/{slug}/reviews", "/u/*": "/u/{name}", "/u/*/followers": "/u/{name}/followers", "/static/js/*": "/static/js/{word}.{short}.js",
    "/images/*": "/images/{word}.png", "/blog/*/*/*": "/blog/{year}/{month}/{slug}", "/oauth/token": "/oauth/token", "/oauth/authorize": "/oauth/authorize",
    "/api/v1/sessions/*": "/api/v1/sessions/{token}", "/api/v1/emails/*": "/api/v1/emails/{name}@example.org", "/files/*": "/files/report-{year}-{month}.pdf",
    "/api/v1/orders/*/items/*": "/api/v1/orders/{uuid}/items/{id}",
    **{f"/api/v1/admin/{part}": f"/api/v1/admin/{part}" for part in ("users", "reports", "audit", "flags", "jobs", "keys")},
    **{f"/cart.v1.CartService/{part}": f"/cart.v1.CartService/{part}" for part in ("GetCart", "AddItem", "EmptyCart", "Checkout", "Quote", "Watch")},
}  # fmt: skip
KUBERNETES = {
    "/api/v1/namespaces": "/api/v1/namespaces", "/api/v1/nodes": "/api/v1/nodes", "/api/v1/pods": "/api/v1/pods", "/api/v1/namespaces/*/pods": "/api/v1/namespaces/{name}/pods",
    "/api/v1/namespaces/*/pods/*": "/api/v1/namespaces/{name}/pods/{word}-{short}-abcde", "/api/v1/namespaces/*/pods/*/log": "/api/v1/namespaces/{name}/pods/{word}-{short}-abcde/log",
    "/api/v1/namespaces/*/services/*": "/api/v1/namespaces/{name}/services/{word}", "/apis/apps/v1/namespaces/*/deployments/*": "/apis/apps/v1/namespaces/{name}/deployments/{slug}",
    "/apis/batch/v1/jobs": "/apis/batch/v1/jobs", "/apis/apps/v1/replicasets": "/apis/apps/v1/replicasets", "/livez": "/livez", "/readyz": "/readyz", "/openapi/v2": "/openapi/v2",
    "/api/v1/nodes/*/proxy/metrics": "/api/v1/nodes/node-{id}/proxy/metrics",
}  # fmt: skip
FORGE = {
    "/repos/*/*": "/repos/{name}/{word}", "/repos/*/*/issues": "/repos/{name}/{word}/issues", "/repos/*/*/issues/*": "/repos/{name}/{word}/issues/{id}",
    "/repos/*/*/issues/*/comments": "/repos/{name}/{word}/issues/{id}/comments", "/repos/*/*/commits/*": "/repos/{name}/{word}/commits/{hash}",
    "/repos/*/*/contents/*": "/repos/{name}/{word}/contents/{word}.py", "/users/*": "/users/{name}", "/users/*/repos": "/users/{name}/repos", "/user": "/user", "/user/keys": "/user/keys",
    "/search/code": "/search/code?q={word}", "/search/issues": "/search/issues?q={word}", "/search/users": "/search/users", "/login/oauth/access_token": "/login/oauth/access_token",
    "/gists/*": "/gists/{hash}", "/orgs/*/members": "/orgs/{word}/members", "/orgs/*/teams/*": "/orgs/{word}/teams/{slug}", "/rate_limit": "/rate_limit", "/emojis": "/emojis",
}  # fmt: skip
BANK = {
    "/accounts/*/balance": "/accounts/DE{id}00000{id}/balance", "/accounts/*/transactions": "/accounts/DE{id}00000{id}/transactions", "/accounts/*/transactions/*": "/accounts/DE{id}00000{id}/transactions/{uuid}",
    "/payments": "/payments", "/payments/*": "/payments/PAY-{id}000", "/payments/*/refund": "/payments/PAY-{id}000/refund", "/customers/*": "/customers/{name}.{word}@example.org",
    "/rates/*/*": "/rates/{word}/{word}", "/reports/*": "/reports/{year}-{month}", "/auth/login": "/auth/login", "/auth/logout": "/auth/logout", "/auth/refresh": "/auth/refresh",
    "/auth/register": "/auth/register", "/auth/verify": "/auth/verify", "/auth/reset": "/auth/reset", "/actuator/health": "/actuator/health", "/actuator/info": "/actuator/info",
    "/actuator/env": "/actuator/env", "/actuator/metrics": "/actuator/metrics", "/actuator/beans": "/actuator/beans", "/.well-known/jwks.json": "/.well-known/jwks.json",
}  # fmt: skip


def endpoints(duck, paths):
    """The endpoint of each path, through the SQL of the functions."""
    values = ", ".join(f"({literal(path, DataType.STRING)})" for path in paths)
    clusters = "(SELECT px_build_request_path_clusters(list_sort(list(DISTINCT p))) FROM given)"
    sql = f"WITH given AS (SELECT * FROM (VALUES {values}) AS v(p)) SELECT p, px_predict_request_path_cluster(p, {clusters}) FROM given"
    return dict(duck.execute(sql).fetchall())


@pytest.mark.parametrize("service", [SHOP, KUBERNETES, FORGE, BANK], ids=["shop", "kubernetes", "forge", "bank"])
def test_endpoints_of_a_service(duck, service):
    made = Made(1)
    paths = {form.format_map(made): endpoint for endpoint, form in service.items() for _ in range(40)}
    found = endpoints(duck, paths)
    wrong = {path: (found[path], wanted) for path, wanted in paths.items() if found[path] != wanted}
    assert not wrong


def test_a_path_that_was_not_seen(duck):
    seen = """'[{"c":"/users/*","m":[]},{"c":"/users/me","m":[]},{"c":"/users/*/orders","m":[]}]'"""
    for path, wanted in {
        "/users/17": "/users/*", "/users/zoe?x=1": "/users/*", "/users/me": "/users/me", "/users/me/orders": "/users/*/orders", "/users/7/carts/9": "/users/*/carts/*",
        "/new/17": "/new/*", "/users/": "/users/", "": "", "/users//orders": "/users//orders",
    }.items():  # fmt: skip
        query = f"SELECT px_predict_request_path_cluster({literal(path, DataType.STRING)}, {seen})"
        assert duck.execute(query).fetchall() == [(wanted,)], path
