"""Addresses: names of peers, membership in ranges."""

from __future__ import annotations

from sylph.functions.declare import Example, Scalar
from sylph.functions.signature import kernel

FUNCTIONS = (
    Scalar(
        "nslookup",
        "Name of an IP address by reverse DNS; the address itself when it has none or the answer takes too long.",
        kernel("(S)->S", "nslookup"),
        examples=(Example("px.nslookup('no address')", "no address"),),
        parameters=("ip",),
    ),
    Scalar(
        "cidrs_contain_ip",
        "Whether the address lies in any range of a JSON array of CIDRs, IPv4 or IPv6; false for bad input.",
        kernel("(S,S)->B", "cidrs_contain_ip"),
        examples=(
            Example("""px.cidrs_contain_ip('["10.0.0.0/8"]', '10.1.2.3')""", True),
            Example("""px.cidrs_contain_ip('["10.0.0.0/8"]', '11.1.2.3')""", False),
            Example("px.cidrs_contain_ip('nonsense', '11.1.2.3')", False),
        ),
        parameters=("cidrs", "ip"),
    ),
)
