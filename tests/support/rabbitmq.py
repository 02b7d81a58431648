# SPDX-License-Identifier: MIT
"""A RabbitMQ (Debian's rabbitmq-server) of a test's own.

It has its own node, ports, data, cookie and epmd, in a folder that the caller gives, so
that it neither sees nor touches one that runs on the machine; it listens on 127.0.0.1
only, and goes when the test goes. It takes seconds to start: one for a suite.

    with RabbitMQ(folder) as rabbit:
        … rabbit.url() …
        rabbit.kill()
        rabbit.start()          # with the same data, at the same address
"""
import contextlib
import ctypes
import os
import random
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
CONTROL = "/usr/lib/rabbitmq/bin/rabbitmqctl"
# Far more than a start takes; only a hang gets there.
SECONDS = 120


class Failure(Exception):
    """What is wrong with the broker, in words."""


def end_with_parent():
    """In a child: go when the test goes, whatever ends it."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def free_ports(count):
    """Give ports that are free now, all different; none of those that the kernel gives to
    whoever connects somewhere, so that they are free after a restart, too."""
    ports = []
    with contextlib.ExitStack() as open_now:
        while len(ports) < count:
            probe = open_now.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", random.randrange(10000, 32000)))
                ports.append(probe.getsockname()[1])
    return ports


def answers(port):
    with contextlib.suppress(OSError), \
            socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


class RabbitMQ:
    """`config`: lines for rabbitmq.conf. `certificates`: a folder with ca.pem, server.pem
    and server.key, for a listener with TLS (`tls_port`) that takes a client's certificate
    where one is shown.
    """

    def __init__(self, folder, config="", certificates=None):
        self.folder = Path(folder)
        self.config = config
        self.certificates = certificates
        self.process = self.epmd = None
        self.folder.mkdir(parents=True, exist_ok=True)
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16), encoding="ascii")
        cookie.chmod(0o400)
        for name in ("plugins", "env"):
            (self.folder / name).write_text("[].\n" if name == "plugins" else "",
                                            encoding="ascii")
        self.node = f"test{os.getpid()}{secrets.token_hex(4)}@localhost"

    def __enter__(self):
        # Between finding a free port and taking it, another may take it.
        for _ in range(5):
            self.port, self.tls_port, self.dist_port, self.epmd_port = free_ports(4)
            try:
                self.start()
                return self
            except Failure as failure:
                self.stop()
                last = failure
        raise last

    def __exit__(self, *_):
        self.stop()

    def environment(self):
        return dict(
            {name: value for name, value in os.environ.items()
             if not name.startswith(("RABBITMQ_", "ERL_", "NOTIFY_"))},
            HOME=str(self.folder), LC_ALL="C.UTF-8", ERL_EPMD_PORT=str(self.epmd_port),
            ERL_EPMD_ADDRESS="127.0.0.1", RABBITMQ_NODENAME=self.node,
            RABBITMQ_DIST_PORT=str(self.dist_port),
            RABBITMQ_CONF_ENV_FILE=str(self.folder / "env"),
            RABBITMQ_CONFIG_FILE=str(self.folder / "rabbitmq.conf"),
            RABBITMQ_ADVANCED_CONFIG_FILE=str(self.folder / "none"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(self.folder / "plugins"),
            RABBITMQ_MNESIA_BASE=str(self.folder / "data"),
            RABBITMQ_LOG_BASE=str(self.folder / "logs"),
            RABBITMQ_PID_FILE=str(self.folder / "pid"),
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=
            "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
            " -kernel inet_dist_use_interface {127,0,0,1}",
            # The shell gives way to the broker, whose process ours is then.
            RUNNING_UNDER_SYSTEMD="true")

    def write_config(self):
        lines = [f"listeners.tcp.1 = 127.0.0.1:{self.port}", "log.file.level = info",
                 "disk_free_limit.absolute = 1MB", self.config]
        if self.certificates:
            folder = Path(self.certificates)
            lines += [f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}",
                      f"ssl_options.cacertfile = {folder}/ca.pem",
                      f"ssl_options.certfile = {folder}/server.pem",
                      f"ssl_options.keyfile = {folder}/server.key",
                      "ssl_options.verify = verify_peer",
                      "ssl_options.fail_if_no_peer_cert = false"]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def spawn(self, *command):
        with open(self.folder / "output", "ab") as output:
            return subprocess.Popen(command, env=self.environment(), cwd=self.folder,
                                    stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=output, preexec_fn=end_with_parent)

    def start(self):
        """Start it, with the data that it had before, and wait until it answers."""
        self.write_config()
        if self.epmd is None:
            self.epmd = self.spawn("epmd", "-port", str(self.epmd_port),
                                   "-address", "127.0.0.1")
            self.await_port(self.epmd, self.epmd_port, "epmd")
        self.process = self.spawn(SERVER)
        self.await_port(self.process, self.port, "rabbitmq-server")
        if self.certificates:
            self.await_port(self.process, self.tls_port, "rabbitmq-server")

    def await_port(self, process, port, name):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if process.poll() is not None:
                raise Failure(f"{name} ended: {self.said()}")
            if answers(port):
                return
            time.sleep(0.05)
        raise Failure(f"{name} does not answer: {self.said()}")

    def said(self):
        text = (self.folder / "output").read_text("utf-8", errors="replace")
        for path in (self.folder / "logs").glob("*.log"):
            text += path.read_text("utf-8", errors="replace")
        return text[-2000:]

    def kill(self):
        """End it as kill -9 does."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """End it and its epmd; as fast as they go."""
        for process in (self.process, self.epmd):
            if process is not None:
                process.kill()
                process.wait()
        self.process = self.epmd = None

    def sync(self):
        """Have on disk what was declared: kill -9 within some two seconds would undo it,
        and the messages in a queue with it, whether they were confirmed or not."""
        self.ctl("eval", "mnesia:sync_log().")

    def pause(self):
        """Stop its process where it stands; what is sent to it is taken by the kernel."""
        self.process.send_signal(signal.SIGSTOP)
        # Until the last of its threads has.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def ctl(self, *arguments):
        """Run rabbitmqctl (which takes a second or two); give what it prints."""
        done = subprocess.run([CONTROL, "--quiet", "--node", self.node, *arguments],
                              env=self.environment(), cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        if done.returncode != 0:
            raise Failure(f"rabbitmqctl {' '.join(arguments)}: {done.stdout}")
        return done.stdout

    def url(self, user="guest", password="guest", vhost="/", is_tls=False):
        scheme, host, port = ("amqps", "localhost", self.tls_port) if is_tls else \
            ("amqp", "127.0.0.1", self.port)
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"{scheme}://{who}@{host}:{port}/{quote(vhost, safe='')}"
