"""Endpoints: request paths with the parts that vary replaced by `*`."""

from __future__ import annotations

from sylph.functions.declare import Aggregate, Example, Scalar
from sylph.functions.signature import aggregate, kernel

#: Paths of a group, each once: the same one again changes no cluster.
_DISTINCT = "coalesce(list(DISTINCT {0}), [])"

FUNCTIONS = (
    Scalar(
        "_predict_request_path_cluster",
        "The endpoint that a request path belongs to, given what `_build_request_path_clusters` made. Numbers, UUIDs,"
        " hashes, dates and mail addresses are always `*`; the query string is left out.",
        kernel("(S,S)->S", "predict_request_path_cluster"),
        examples=(
            Example("px._predict_request_path_cluster('/users/17?full=1', '[]')", "/users/*"),
            Example("""px._predict_request_path_cluster('/a/x/b', '[{"c":"/a/*/b","m":[]}]')""", "/a/*/b"),
        ),
        parameters=("path", "clusters"),
    ),
    Scalar(
        "_match_endpoint",
        "Whether a request path has the parts of an endpoint, where `*` is any one part; the query string is left out.",
        kernel("(S,S)->B", "match_endpoint"),
        examples=(
            Example("px._match_endpoint('/users/17?full=1', '/users/*')", True),
            Example("px._match_endpoint('/users/17/cart', '/users/*')", False),
        ),
        parameters=("path", "endpoint"),
    ),
)

AGGREGATES = (
    Aggregate(
        "_build_request_path_clusters",
        "Endpoints of request paths, as JSON for `_predict_request_path_cluster`. Five values, or five names after a"
        " collection (`/users/ann`), in one place of the path are `*`; resources, actions and versions stay.",
        aggregate(
            "(S)->S",
            f"px_build_request_path_clusters(list_sort({_DISTINCT}))",
            (_DISTINCT,),
            ("coalesce(list_distinct(flatten(list({0}))), [])",),
            "px_build_request_path_clusters(list_sort({0}))",
        ),
        parameters=("path",),
        examples=(Example("px._build_request_path_clusters('path')", '[{"c":"/users/*","m":[]}]'),),
    ),
)
