#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lib/broker against a real RabbitMQ of its own, started once.

usage: test_broker.py TALK [WORD]: only the tests that have the word in their names

Planted bugs that these tests were seen to catch: a host or a certificate that is not
verified; a closed channel that gets no close-ok; one that is open again and still counts
confirms; a capability that is not announced; sending that waits for room, or when the
broker is blocked; only the first piece of a body; no length that is too much; heartbeats
and their end that are not looked after; requests that nobody answers when the connection
is lost; a method in the middle of a body; a body that ends early on a channel that is closed.
"""
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from rabbitmq import RabbitMQ  # noqa: E402
from scripted import tls_server  # noqa: E402
from talking import Talk, check, run  # noqa: E402

HEARTBEAT = 4
MIB = 1024 * 1024


class World:
    """What the tests share: the broker, and a connection that has nothing to do."""

    def __init__(self, rabbit, folder):
        self.rabbit = rabbit
        self.folder = folder
        self.idle = Talk(rabbit.url(), HEARTBEAT)
        self.idle_since = time.monotonic()

    def talk(self, **given):
        return Talk(self.rabbit.url(), **given)

    def refused(self, url, code, *parts, **given):
        """Try to connect; see that it fails so, and without the password."""
        with Talk(url, is_tried=True, **given) as talk:
            check(talk.first.startswith(f"failed {code} "), f"not {code}: {talk.first}")
            for part in parts:
                check(part in talk.first, f"'{part}' is not in '{talk.first}'")
            check("secret-word" not in talk.first, f"the password is told: {talk.first}")


def declares_binds_and_consumes(world):
    with world.talk() as talk:
        check(talk.first.split()[1].count(".") == 2, f"no version: {talk.first}")
        check("guest" not in talk.first, f"the user is shown: {talk.first}")
        talk.request("open 1", "open 2", "exchange 1 buildr.test topic",
                     "declare 1 bound durable", "bind 1 bound buildr.test *.done",
                     "confirm 2", "prefetch 1 10", "consume 1 bound me")
        talk.ask("publish 2 buildr.test a.done body persistent mandatory"
                 " reply=back correlation=c1 id=m1", "published 1")
        check(talk.wait("delivered 1 1 ") == "first body buildr.test a.done back c1 m1",
              f"something else came: {talk.seen}")
        talk.request("declare 2 bound passive")
        talk.say("ack 1 1")
        talk.request("cancel 1 me", "delete 1 bound")
        talk.saw("confirmed 2 1 yes")


def gives_back_and_dead_letters(world):
    with world.talk() as talk:
        talk.request("open 1", "declare 1 dead durable",
                     "declare 1 work durable quorum dead= dead-key=dead",
                     "consume 1 work me")
        talk.say("publish 1 - work job persistent")
        check(talk.wait("delivered 1 1 ").startswith("first job"), f"{talk.seen}")
        talk.say("reject 1 1 requeue")
        check(talk.wait("delivered 1 2 ").startswith("again job"), f"{talk.seen}")
        talk.say("reject 1 2")
        talk.request("open 2", "consume 2 dead me")
        check(talk.wait("delivered 2 1 ").startswith("first job - dead"), f"{talk.seen}")
        talk.say("ack 2 1")
        talk.request("delete 1 work", "delete 1 dead")


def gives_what_was_not_acknowledged_to_another(world):
    with world.talk() as first, world.talk() as second:
        first.request("open 1", "declare 1 shared durable", "prefetch 1 1",
                      "consume 1 shared me")
        first.say("publish 1 - shared one persistent")
        first.wait("delivered 1 1 first one")
        second.request("open 1", "consume 1 shared me")
        first.process.kill()
        second.wait("delivered 1 1 again one")
        second.say("ack 1 1")
        second.request("delete 1 shared")
        first.process.wait()
        first.process.returncode = 0


def answers_405_and_the_channel_lives_on(world):
    with world.talk() as holder, world.talk() as other:
        holder.request("open 1", "declare 1 claim exclusive")
        other.request("open 1", "open 2", "confirm 1")
        # Both wait when the first is refused; the broker looks at none behind it.
        other.say("declare 1 claim exclusive", "declare 1 mine")
        check("RESOURCE_LOCKED" in other.wait("reply declare EINPUT 405"), f"{other.seen}")
        other.wait("reply declare EINPUT 405")
        other.wait("channel-closed 1 405")
        # Open again, but what it was told before is forgotten.
        other.ask("publish 1 - nowhere x", "published 0")
        other.request("declare 1 mine exclusive", "declare 2 mine passive")
        holder.request("delete 1 claim")
        other.request("declare 1 claim exclusive")


def tells_404_from_406(world):
    with world.talk() as talk:
        talk.request("open 1")
        talk.ask("declare 1 absent passive", "reply declare ENOTFOUND 404")
        talk.wait("channel-closed 1 404")
        talk.request("declare 1 classic durable")
        talk.ask("declare 1 classic durable quorum", "reply declare EINPUT 406")
        check("x-queue-type" in talk.seen[-1], f"not in the broker's words: {talk.seen[-1]}")
        talk.wait("channel-closed 1 406")
        talk.ask("consume 1 absent me", "reply consume ENOTFOUND 404")
        talk.wait("channel-closed 1 404")
        talk.request("delete 1 classic")


def refuses_names_that_are_too_long_in_their_turn(world):
    with world.talk() as talk:
        talk.request("open 1")
        talk.say("declare 1 short exclusive", f"declare 1 {'n' * 256} exclusive",
                 "declare 1 short passive")
        talk.wait("reply declare OK 0 short")
        check("longer than 255" in talk.wait("reply declare EINPUT 0"), f"{talk.seen}")
        talk.wait("reply declare OK 0 short")
        talk.request(f"declare 1 {'n' * 255} exclusive")


def reports_what_happens_to_each_published_message(world):
    with world.talk() as talk:
        talk.request("open 1", "open 2", "declare 2 taken exclusive", "confirm 1")
        talk.say("publish 1 - nowhere x persistent mandatory")
        talk.wait("published 1")
        talk.wait("returned 1 nowhere")
        talk.wait("confirmed 1 1 yes")
        check(talk.seen.index("returned 1 nowhere") < talk.seen.index("confirmed 1 1 yes"),
              f"confirmed before it was returned: {talk.seen}")
        talk.ask("publish 1 - taken y persistent mandatory", "published 2")
        talk.wait("confirmed 1 2 yes")
        # An exchange that is not there closes the channel, after publishing.
        talk.ask("publish 1 absent z x", "published 3")
        talk.wait("channel-closed 1 404")
        talk.request("confirm 1")
        talk.ask("publish 1 - taken y", "published 1")
        talk.wait("confirmed 1 1 yes")


def says_that_a_tag_is_unknown(world):
    with world.talk() as talk:
        talk.request("open 1", "declare 1 once exclusive", "consume 1 once me")
        talk.say("publish 1 - once x")
        talk.wait("delivered 1 1 first x")
        talk.say("ack 1 1", "ack 1 1")
        talk.wait("channel-closed 1 406")
        talk.request("consume 1 once me")
        talk.say("publish 1 - once again")
        talk.wait("delivered 1 1 first again")


def sends_a_message_to_its_end_though_its_channel_is_closed(world):
    with world.talk() as talk:
        talk.request("open 1", "open 2", "declare 2 after exclusive")
        # In one piece, so that the broker's close finds most of the body here.
        talk.say(f"ack 1 99\npublish 1 - after *{10 * MIB}")
        talk.wait("channel-closed 1 406")
        talk.request("declare 1 after passive", "consume 1 after me")
        talk.say("publish 2 - after x")
        talk.wait("delivered 1 1 first x")


def tells_a_consumer_that_its_queue_is_gone(world):
    with world.talk() as talk:
        talk.request("open 1", "open 2", "declare 1 going durable", "consume 1 going me",
                     "consume 1 going too")
        talk.say("delete 2 going")
        talk.wait("cancelled 1")
        talk.wait("cancelled 1")
        talk.request("declare 1 going exclusive")


def closes_a_channel_after_what_waits_there(world):
    with world.talk() as talk:
        talk.request("open 1", "open 2")
        talk.say("declare 1 last exclusive", "close 1")
        talk.wait("reply declare OK 0 last")
        talk.request("declare 2 last passive")


def carries_bodies_of_any_length(world):
    with world.talk() as talk:
        talk.request("open 1", "open 2", "confirm 2", "declare 1 big exclusive",
                     "consume 1 big me")
        tag = 0
        # Around the ends of frames and pieces, and far beyond the socket's room.
        for size in (0, 1, 65535, 65536, 65537, 131064, 131065, MIB, 10 * MIB):
            tag += 1
            talk.say(f"publish 2 - big *{size}")
            got = talk.wait(f"delivered 1 {tag} first ")
            shown = got.split()[0]
            check(shown == f"*{size}" or (size < 2 and len(shown) == 1),
                  f"of {size} bytes came {got}")
        # What follows on the channel stands behind all of it.
        talk.say(f"publish 2 - big *{10 * MIB}", "declare 2 big passive",
                 f"publish 2 - big *{MIB}", "publish 2 - big *1000")
        talk.wait("reply declare OK 0 big")
        for size in (10 * MIB, MIB, 1000):
            tag += 1
            talk.saw(f"delivered 1 {tag} first *{size} ")
        talk.say(f"publish 2 - big *{16 * MIB + 1}")
        got = talk.wait(f"delivered 1 {tag + 1} ")
        check(got.startswith("first,too-large "), f"not refused: {got}")
        talk.say(f"reject 1 {tag + 1}", "publish 2 - big small")
        talk.wait(f"delivered 1 {tag + 2} first small")


def carries_many_messages_from_one_to_another(world):
    for size, count in ((100, 10000), (65536, 2000)):
        with world.talk() as source, world.talk() as sink:
            source.request("open 1", "confirm 1", "declare 1 many durable")
            sink.request("open 1", "prefetch 1 200")
            sink.say(f"drain - {count}")
            sink.request("consume 1 many me")
            source.say(f"flood 1 - many *{size} {count}")
            confirmed = float(source.wait("flooded").split()[1])
            sink.wait("drained")
            source.request("declare 1 many passive")
            source.request("delete 1 many")
            print(f"# {count} messages of {size} bytes, persistent, confirmed and taken by "
                  f"another connection: {count / confirmed:.0f} a second, "
                  f"{count * size / confirmed / 1e6:.1f} MB/s")
            source.ask("memory", "")
            print(f"# after that: {source.seen[-1]}")


def connects_only_with_the_right_words(world):
    rabbit = world.rabbit
    world.refused(rabbit.url(password="secret-word"), "ENOTFOUND", "403 ACCESS_REFUSED",
                  f"amqp://127.0.0.1:{rabbit.port}/: ")
    world.refused(rabbit.url(vhost="a/b c"), "ENOTFOUND", "530 ",
                  f"127.0.0.1:{rabbit.port}/a%2fb%20c: ")
    world.refused(rabbit.url().replace(str(rabbit.port), "1"), "EUNAVAIL", "refused")
    world.refused("amqp://no.such.host.invalid/", "EUNAVAIL", "no host of that name")
    for url in ("http://guest:secret-word@host/", "amqp://me:secret-word@host:0/",
                "amqp://me:secret-word/x@host/", "amqp://me:secret-word%zz@host/"):
        world.refused(url, "EINPUT", "address")


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, timeout=120,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE)


KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def make_authority(folder, name):
    openssl(folder, "req", "-x509", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-subj", f"/CN=authority {name}", "-days", "30")


def make_certificate(folder, name, host, authority="ca", days="30"):
    openssl(folder, "req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem",
            "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", days,
            "-copy_extensions", "copy", "-out", f"{name}.pem")


def make_certificates(folder):
    folder.mkdir()
    make_authority(folder, "ca")
    make_authority(folder, "stranger")
    make_certificate(folder, "server", "localhost")
    make_certificate(folder, "client", "agent")
    make_certificate(folder, "wrong-host", "elsewhere.example")
    make_certificate(folder, "expired", "localhost", days="-1")
    make_certificate(folder, "unknown", "localhost", authority="stranger")
    openssl(folder, "req", "-x509", *KEY, "-keyout", "self-signed.key", "-out",
            "self-signed.pem", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-days", "30")


def speaks_tls_to_a_broker_that_it_can_trust(world):
    folder = world.folder
    url = world.rabbit.url(is_tls=True)
    ca, cert, key = (folder / name for name in ("ca.pem", "client.pem", "client.key"))
    for files in ((ca,), (ca, cert, key)):
        with Talk(url, files=files) as talk:
            check(" amqps://localhost:" in talk.first, f"not TLS: {talk.first}")
            talk.request("open 1", "open 2", "declare 1 tls exclusive", "consume 1 tls me")
            talk.ask("memory", "VmRSS:")
            print(f"# an idle connection with TLS: {talk.seen[-1]}")
            talk.say(f"publish 2 - tls *{10 * MIB}", "publish 2 - tls *1000")
            talk.wait(f"delivered 1 1 first *{10 * MIB} ")
            talk.wait("delivered 1 2 first *1000 ")
    world.refused(url, "EINPUT", "authority", files=(folder / "absent.pem",))
    world.refused(url, "EINPUT", "no password", files=(ca, cert, folder / "server.key"))
    world.refused(world.rabbit.url().replace("amqp:", "amqps:"), "EUNAVAIL", "TLS",
                  files=(ca,))


def refuses_a_broker_that_it_cannot_trust(world):
    folder = world.folder
    # None of these but the first pair is known to the system.
    world.refused(world.rabbit.url(is_tls=True), "EUNAVAIL", "certificate")
    for name, text in (("wrong-host", "another host"), ("expired", "expired"),
                       ("unknown", "authority"), ("self-signed", "authority")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        with tls_server(context) as port:
            world.refused(f"amqps://me:secret-word@localhost:{port}/", "EUNAVAIL", text,
                          files=(folder / "ca.pem",))


def respects_that_the_broker_is_blocked(world):
    with world.talk() as talk:
        talk.request("open 1", "confirm 1", "declare 1 alarm exclusive")
        world.rabbit.ctl("set_vm_memory_high_watermark", "0.00001")
        try:
            talk.say("publish 1 - alarm x")
            check("memory" in talk.wait("blocked "), f"no reason: {talk.seen}")
            talk.ask("can - 10", "can no")
        finally:
            world.rabbit.ctl("set_vm_memory_high_watermark", "0.4")
        talk.wait("unblocked")
        talk.wait("confirmed 1 1 yes")
        talk.ask("can - 10", "can yes")


def keeps_an_idle_connection(world):
    # What is waited for is that nothing happens.
    left = world.idle_since + 3.5 * HEARTBEAT - time.monotonic()
    time.sleep(max(left, 0))
    world.idle.ask("ping", "pong")
    world.idle.request("open 1")
    world.idle.ask("memory", "VmRSS:")
    print(f"# an idle connection with a channel: {world.idle.seen[-1]}")


def never_waits_for_a_broker_that_is_frozen_and_finds_it_dead(world):
    with world.talk(heartbeat=HEARTBEAT) as talk:
        talk.request("open 1", "open 2", "confirm 1", "declare 1 frozen exclusive")
        world.rabbit.pause()
        try:
            # More than the socket takes, and then more than anything takes.
            talk.ask(f"publish 1 - frozen *{10 * MIB}", "published 1")
            talk.ask("ping", "pong")
            talk.ask("can - 10", "can no")
            talk.say("declare 2 other")
            talk.wait("reply declare EUNAVAIL 0")
            check(talk.wait("closed ").startswith("ETIMEDOUT"), f"{talk.seen}")
        finally:
            world.rabbit.resume()


def answers_whoever_waits_when_the_broker_dies(world):
    with world.talk() as talk:
        talk.request("open 1", "open 2", "declare 1 kept durable", "confirm 1")
        talk.say("publish 1 - kept persistent persistent")
        talk.wait("confirmed 1 1 yes")
        world.rabbit.sync()
        world.rabbit.pause()
        talk.say("declare 1 kept durable", "declare 2 other", "ping")
        talk.wait("pong")
        world.rabbit.kill()
        talk.wait("reply declare EUNAVAIL 0")
        talk.wait("reply declare EUNAVAIL 0")
        check(talk.wait("closed ").startswith("EUNAVAIL"), f"{talk.seen}")
    world.refused(world.rabbit.url(), "EUNAVAIL", "refused")
    world.rabbit.start()
    with world.talk() as talk:
        talk.request("open 1", "consume 1 kept me")
        # Most come back as delivered before, though they never were.
        check(talk.wait("delivered 1 1 ").split()[1] == "persistent", f"{talk.seen}")
        talk.request("delete 1 kept")


def tells_why_the_broker_closes_the_connection(world):
    with world.talk() as talk:
        talk.request("open 1")
        world.rabbit.ctl("close_all_connections", "for a test")
        check("320 CONNECTION_FORCED - for a test" in talk.wait("closed EUNAVAIL"),
              f"{talk.seen}")


TESTS = [
    declares_binds_and_consumes,
    gives_back_and_dead_letters,
    gives_what_was_not_acknowledged_to_another,
    answers_405_and_the_channel_lives_on,
    tells_404_from_406,
    refuses_names_that_are_too_long_in_their_turn,
    reports_what_happens_to_each_published_message,
    says_that_a_tag_is_unknown,
    sends_a_message_to_its_end_though_its_channel_is_closed,
    tells_a_consumer_that_its_queue_is_gone,
    closes_a_channel_after_what_waits_there,
    carries_bodies_of_any_length,
    carries_many_messages_from_one_to_another,
    connects_only_with_the_right_words,
    speaks_tls_to_a_broker_that_it_can_trust,
    refuses_a_broker_that_it_cannot_trust,
    respects_that_the_broker_is_blocked,
    # From here on connections are lost: the idle one first of all.
    keeps_an_idle_connection,
    never_waits_for_a_broker_that_is_frozen_and_finds_it_dead,
    answers_whoever_waits_when_the_broker_dies,
    tells_why_the_broker_closes_the_connection,
]


def main():
    Talk.program = sys.argv[1]
    tests = [test for test in TESTS if not sys.argv[2:] or sys.argv[2] in test.__name__]
    print(f"1..{len(tests)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="buildr-broker-") as name:
        folder = Path(name) / "certificates"
        make_certificates(folder)
        started = time.monotonic()
        with RabbitMQ(Path(name) / "rabbit", certificates=folder) as rabbit:
            print(f"# RabbitMQ took {time.monotonic() - started:.1f} s to start")
            world = World(rabbit, folder)
            with world.idle:
                return 1 if run(tests, world) else 0


if __name__ == "__main__":
    sys.exit(main())
