"""Runs under pxapi's own environment: asks a server as a user of that package does, prints what came as JSON."""

import json
import sys

import grpc
import pxapi

COLUMNS = ("time_", "upid", "ssl", "latency", "rate", "path")


def channel(address: str) -> grpc.Channel:
    return grpc.insecure_channel(address)


def aio_channel(address: str) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(address)


def main(address: str, key: str) -> None:
    client = pxapi.Client(token=key, server_url=address, channel_fn=channel, conn_channel_fn=aio_channel)
    (cluster,) = client.list_healthy_clusters()
    connection = client.connect_to_cluster(cluster)
    out: dict[str, object] = {"cluster": connection.name()}

    executor = connection.prepare_script("import px\npx.display(px.DataFrame('t'))")
    out["rows"] = [[str(row[name]) for name in COLUMNS] for row in executor.results("output")]

    counts: dict[str, int] = {}
    executor = connection.prepare_script("two tables")
    for table in ("a", "b"):
        executor.add_callback(table, lambda row, table=table: counts.__setitem__(table, counts.get(table, 0) + 1))
    executor.run()
    out["counts"] = counts

    for name, script in {"compile": "import px\nwrong(", "query": "fail"}.items():
        try:
            connection.prepare_script(script).run()
        except (pxapi.PxLError, ValueError) as error:
            out[name] = [type(error).__name__, str(error)]
    json.dump(out, sys.stdout)


main(*sys.argv[1:])
