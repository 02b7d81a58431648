#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs test_engine over TCP and over TLS, through a proxy before the engine here.

usage: test_remote.py TEST_ENGINE PULL_IMAGE

The certificates are made here: one authority, and from it one for 127.0.0.1 and one
for another host.
"""
import contextlib
import os
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

TEST_ENGINE, PULL_IMAGE = sys.argv[1:3]
SOCKET = "/var/run/docker.sock"
# Far more than anything takes; only a hang gets there.
SECONDS = 300
IMAGE = "buildr-sample:latest"


class Failure(Exception):
    """What a test found wrong, in words."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def openssl(*arguments, folder):
    done = subprocess.run(["openssl", *arguments], cwd=folder, text=True, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
    check(done.returncode == 0, f"openssl {arguments}: {done.stderr}")


def make_authority(folder):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca-key.pem",
            "-out", "ca.pem", folder=folder)


def make_certificate(folder, name, subject):
    """Make NAME.pem and NAME-key.pem, good for the host `subject` (IP:… or DNS:…)."""
    (folder / f"{name}.ext").write_text(f"subjectAltName={subject}\n", encoding="ascii")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", f"{name}-key.pem", "-out", f"{name}.csr",
            folder=folder)
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem",
            "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out",
            f"{name}.pem", folder=folder)


class Proxy:
    """Passes connections to 127.0.0.1 on to the engine; with `context` through TLS."""

    def __init__(self, context=None):
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as engine:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            with client:
                engine.connect(SOCKET)
                self.pump(client, engine)

    @staticmethod
    def pump(client, engine):
        """Carry bytes both ways until one side ends, and then end the other."""
        while True:
            pending = isinstance(client, ssl.SSLSocket) and client.pending()
            ready = [client] if pending else select.select([client, engine], [], [])[0]
            for side in ready:
                data = side.recv(65536)
                if not data:
                    return
                (engine if side is client else client).sendall(data)

    def stop(self):
        self.listener.close()


def environment(address, certificates=None):
    """The variables that lead to the engine at `address`."""
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith("DOCKER_")}
    variables.update(DOCKER_HOST=address, DOCKER_CONFIG="/nonexistent")
    if certificates:
        variables.update(DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(certificates))
    return variables


def run(program, *arguments, variables):
    done = subprocess.run([program, *arguments], env=variables, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    return done.returncode, done.stdout


def tls(folder, name, wants_client=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}-key.pem")
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "ca.pem")
    return context


def client_folder(folder, *names):
    """A DOCKER_CERT_PATH with the certificates that are named."""
    made = Path(tempfile.mkdtemp(dir=folder))
    sources = {"ca.pem": "ca.pem", "cert.pem": "client.pem", "key.pem": "client-key.pem"}
    for name in names:
        (made / name).write_bytes((folder / sources[name]).read_bytes())
    return made


def everything_works_over_tcp(_folder):
    proxy = Proxy()
    try:
        status, said = run(TEST_ENGINE, variables=environment(proxy.address))
        check(status == 0, said)
    finally:
        proxy.stop()


def everything_works_over_tls_with_a_client_certificate(folder):
    proxy = Proxy(tls(folder, "engine", wants_client=True))
    certificates = client_folder(folder, "ca.pem", "cert.pem", "key.pem")
    try:
        status, said = run(TEST_ENGINE, variables=environment(proxy.address, certificates))
        check(status == 0, said)
    finally:
        proxy.stop()


def refused(folder, name, *certificates, wants_client=False):
    """Ask for an image over TLS, which must fail; give what was said."""
    proxy = Proxy(tls(folder, name, wants_client))
    variables = environment(proxy.address, client_folder(folder, *certificates))
    try:
        status, said = run(PULL_IMAGE, IMAGE, "never", variables=variables)
        check(status == 1, f"status {status}: {said}")
        check(said.startswith("error EUNAVAIL "), said)
        return said
    finally:
        proxy.stop()


def a_certificate_of_another_host_is_refused(folder):
    said = refused(folder, "other", "ca.pem")
    check("is not good for it" in said, said)


def a_certificate_of_an_unknown_authority_is_refused(folder):
    said = refused(folder, "engine")
    check("is not good for it" in said, said)


def a_client_that_does_not_say_who_it_is_is_refused(folder):
    refused(folder, "engine", "ca.pem", wants_client=True)


TESTS = [
    everything_works_over_tcp,
    everything_works_over_tls_with_a_client_certificate,
    a_certificate_of_another_host_is_refused,
    a_certificate_of_an_unknown_authority_is_refused,
    a_client_that_does_not_say_who_it_is_is_refused,
]


def main():
    print(f"1..{len(TESTS)}")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="buildr-remote-") as name:
        folder = Path(name)
        make_authority(folder)
        make_certificate(folder, "engine", "IP:127.0.0.1")
        make_certificate(folder, "other", "DNS:elsewhere.example")
        make_certificate(folder, "client", "DNS:client.example")
        for number, test in enumerate(TESTS, 1):
            name = test.__name__.replace("_", " ")
            try:
                test(folder)
                print(f"ok {number} - {name}", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"not ok {number} - {name}")
                print("# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
