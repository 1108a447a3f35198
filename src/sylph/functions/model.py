"""Texts as vectors, and clusters of them. Hashing replaces a trained model and its file."""

from __future__ import annotations

from sylph.functions.declare import Aggregate, Example, Scalar
from sylph.functions.signature import aggregate, kernel

FUNCTIONS = (
    Scalar(
        "_encode_sentence_piece",
        "A JSON array with a token id below 8192 for each word, number or mark of the text.",
        kernel("(S)->S", "encode_sentence_piece"),
        examples=(Example("px._encode_sentence_piece(' ')", "[]"),),
        parameters=("text",),
    ),
    Scalar(
        "_text_embedding",
        "A JSON array of 64 numbers, of length 1 as a vector, for a JSON array of token ids: texts that share words"
        " point in similar directions. All zero for anything else.",
        kernel("(S)->S", "text_embedding"),
        examples=(Example("px.pluck_array(px._text_embedding('[]'), 0)", "0.0"),),
        parameters=("tokens",),
    ),
    Scalar(
        "_kmeans_inference",
        "Index of the cluster, of those that `_kmeans_fit` made, nearest to an embedding; -1 for bad input.",
        kernel("(S,S)->I", "kmeans_inference"),
        examples=(Example("""px._kmeans_inference('[1.0]', '{"centroids":[]}')""", -1),),
        parameters=("embedding", "model"),
    ),
)

AGGREGATES = (
    Aggregate(
        "_kmeans_fit",
        "JSON with the centres of k clusters of embeddings of 64 numbers; at most 256 clusters, of the first 20,000"
        " embeddings.",
        aggregate(
            "(S,I)->S",
            "px_kmeans_fit(list_sort(coalesce(list({0}), [])), coalesce(max({1}), 0))",
            ("coalesce(list({0}), [])", "coalesce(max({1}), 0)"),
            ("coalesce(flatten(list({0})), [])", "coalesce(max({0}), 0)"),
            "px_kmeans_fit(list_sort({0}), {1})",
        ),
        parameters=("embedding", "k"),
        examples=(Example("px._kmeans_fit('method', 'two')", '{"centroids":[]}'),),
    ),
)
