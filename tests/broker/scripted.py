# SPDX-License-Identifier: MIT
"""A broker that says what no real one can be made to say.

It takes one connection and says its pieces in turn, each when the other side has said what
the piece is the answer to; then it waits for the end.
"""
import contextlib
import socket
import struct
import threading

METHOD, HEADER, BODY = 1, 2, 3
CAPABILITIES = ("basic.nack", "connection.blocked", "consumer_cancel_notify",
                "publisher_confirms")


def short(text):
    return bytes([len(text)]) + text.encode()


def long(data):
    return struct.pack(">I", len(data)) + data


def frame(kind, channel, payload):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def method(channel, class_id, method_id, arguments=b""):
    return frame(METHOD, channel, struct.pack(">HH", class_id, method_id) + arguments)


def start(capabilities=CAPABILITIES):
    known = b"".join(short(name) + b"t\x01" for name in capabilities)
    server = short("version") + b"S" + long(b"1.2.3") + \
        short("capabilities") + b"F" + long(known)
    return method(0, 10, 10, b"\x00\x09" + long(server) + long(b"PLAIN") + long(b"en_US"))


def tune(frame_max=131072):
    return method(0, 10, 30, struct.pack(">HIH", 2047, frame_max, 60))


# What pieces wait for. The connection's open may come with tune-ok, or after it.
GREETING, START_OK, OPEN, CHANNEL_OPEN = (
    b"AMQP", b"\x00\x0a\x00\x0b", b"\x00\x0a\x00\x28", b"\x00\x14\x00\x0a")


def login(frame_max=131072, **given):
    """The pieces of a login that goes well."""
    return [(GREETING, start(**given)), (START_OK, tune(frame_max)),
            (OPEN, method(0, 10, 41, b"\x00"))]


@contextlib.contextmanager
def scripted(pieces):
    """Give the address of a broker that says `pieces`; it is gone at the end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server, pieces), daemon=True)
        thread.start()
        yield f"amqp://me:secret-word@127.0.0.1:{server.getsockname()[1]}/"


def serve(server, pieces):
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        with connection:
            for awaited, piece in pieces:
                said = b""
                while awaited not in said:
                    more = connection.recv(65536)
                    if not more:
                        return
                    said += more
                connection.sendall(piece)
            while connection.recv(65536):
                pass


@contextlib.contextmanager
def tls_server(context):
    """Give a port where somebody speaks TLS with `context`, an ssl.SSLContext."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve_tls, args=(server, context), daemon=True)
        thread.start()
        yield server.getsockname()[1]


def serve_tls(server, context):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with contextlib.suppress(OSError), connection, \
                    context.wrap_socket(connection, server_side=True) as wrapped:
                # Whoever trusts it says `AMQP`, which is all that matters here.
                wrapped.recv(8)
