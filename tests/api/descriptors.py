"""Prints, as JSON, every field, enum value and method of the messages in a package's modules; runs in any environment."""

import importlib
import json
import sys

from google.protobuf import descriptor_pb2


def described(package: str) -> dict[str, object]:
    out: dict[str, object] = {}
    for name in ("vizierapi_pb2", "cloudapi_pb2", "uuid_pb2"):
        file = descriptor_pb2.FileDescriptorProto()
        importlib.import_module(f"{package}.{name}").DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _message(message, file.package, out)
        for enum in file.enum_type:
            out.update({f"{file.package}.{enum.name}.{value.name}": value.number for value in enum.value})
        for service in file.service:
            for method in service.method:
                ends = [method.input_type, method.output_type, method.server_streaming]
                out[f"{file.package}.{service.name}.{method.name}"] = ends
    return out


def _message(message: descriptor_pb2.DescriptorProto, scope: str, out: dict[str, object]) -> None:
    name = f"{scope}.{message.name}"
    for field in message.field:
        oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
        out[f"{name}.{field.name}"] = [field.number, field.type, field.label, field.type_name, oneof]
    for nested in message.nested_type:
        _message(nested, name, out)


if __name__ == "__main__":
    json.dump(described(sys.argv[1]), sys.stdout)
