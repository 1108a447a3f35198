"""Runs under pxapi's own environment: prints five rows of a stream as they come, then stops."""

import json
import os
import sys

import grpc
import pxapi

seen: list[pxapi.Row] = []


def show(row: pxapi.Row) -> None:
    print(json.dumps(row["latency"]), flush=True)
    seen.append(row)
    if len(seen) == 5:
        # This client has no other way out of a stream.
        os._exit(0)


def main(address: str, key: str, script: str) -> None:
    client = pxapi.Client(
        token=key, server_url=address, channel_fn=grpc.insecure_channel, conn_channel_fn=grpc.aio.insecure_channel
    )
    (cluster,) = client.list_healthy_clusters()
    # Its results() would keep all rows until the end.
    executor = client.connect_to_cluster(cluster).prepare_script(script)
    executor.add_callback("output", show)
    executor.run()


main(*sys.argv[1:])
