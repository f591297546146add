"""postrider.v1 for Python, made at run time from the .proto files. No generated code.

Needs protoc and Python's grpc and protobuf (Debian: protobuf-compiler, python3-grpcio,
python3-protobuf).
"""

import pathlib
import subprocess
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PACKAGE = "postrider.v1"


def _descriptors():
    files = sorted(str(path) for path in (ROOT / "proto").glob("postrider/v1/*.proto"))
    with tempfile.NamedTemporaryFile(suffix=".bin") as out:
        subprocess.run(["protoc", "-I", str(ROOT / "proto"), "-I", "/usr/include",
                        "--include_imports", f"--descriptor_set_out={out.name}", *files],
                       check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read())


class Schema:
    """Message classes by name and the methods of each service."""

    def __init__(self):
        pool = descriptor_pool.DescriptorPool()
        self.services = {}
        names = []
        for file in _descriptors().file:
            pool.Add(file)
            if file.package == PACKAGE:
                names += [f"{PACKAGE}.{message.name}" for message in file.message_type]
                self.services.update({service.name: service for service in file.service})
        make = getattr(message_factory, "GetMessageClass", None)
        if make is None:  # Before protobuf 4.22.
            make = message_factory.MessageFactory(pool).GetPrototype
        self._classes = {name.rpartition(".")[2]: make(pool.FindMessageTypeByName(name))
                         for name in names}

    def __getattr__(self, name):
        try:
            return self._classes[name]
        except KeyError:
            raise AttributeError(name) from None

    def methods(self):
        """(full path, request class, response class, client streams, server streams) of each."""
        for service in self.services.values():
            for method in service.method:
                yield (f"/{PACKAGE}.{service.name}/{method.name}",
                       self._classes[method.input_type.rpartition(".")[2]],
                       self._classes[method.output_type.rpartition(".")[2]],
                       method.client_streaming, method.server_streaming)


class Client:
    """A channel with one attribute a method: client.Publish(request, timeout=1.0)."""

    def __init__(self, schema, address, serialize=True):
        """With `serialize` false, requests are bytes and so are responses."""
        self.channel = grpc.insecure_channel(address, options=[
            ("grpc.enable_retries", 0),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 20),
            ("grpc.max_reconnect_backoff_ms", 100),
        ])
        for path, request, response, client_streams, server_streams in schema.methods():
            kind = ("stream" if client_streams else "unary") + "_" + (
                "stream" if server_streams else "unary")
            method = getattr(self.channel, kind)(
                path,
                request_serializer=request.SerializeToString if serialize else None,
                response_deserializer=response.FromString if serialize else None)
            setattr(self, path.rpartition("/")[2], method)

    def close(self):
        self.channel.close()
