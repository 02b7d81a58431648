#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""lib/broker against a broker that breaks the protocol, as no real one does.

usage: test_scripted.py TALK [WORD]: only the tests that have the word in their names

Planted bugs that these tests were seen to catch: capabilities that are not looked at; more
of a body than its header says; control characters that are shown; a request with a name
that is too long and takes the answer to the next; no time limit while logging in.
"""
import struct
import sys
import time

from scripted import BODY, CHANNEL_OPEN, GREETING, HEADER, METHOD, frame, login, long, \
    method, scripted, short, start
from talking import Talk, check, run

OPEN_OK = method(1, 20, 11, long(b""))
DELIVER = method(1, 60, 60, short("me") + struct.pack(">QB", 1, 0) + short("") + short("q"))


def header(size):
    return frame(HEADER, 1, struct.pack(">HHQH", 60, 0, size, 0))


def refused(pieces, code, text, timeout_ms=30000):
    """See that logging in fails so."""
    with scripted(pieces) as url, Talk(url, is_tried=True, timeout_ms=timeout_ms) as talk:
        check(talk.first.startswith(f"failed {code} ") and text in talk.first,
              f"not {code} … {text}: {talk.first}")
        check("secret-word" not in talk.first, f"the password is told: {talk.first}")


def lost(last, code, text):
    """See that the connection is given up when this comes after the login."""
    with scripted([*login(), (CHANNEL_OPEN, last)]) as url, Talk(url) as talk:
        talk.say("open 1")
        line = talk.wait("closed ")
        check(line.startswith(code) and text in line, f"not {code} … {text}: {line}")
        return line


def gives_up_on_what_is_no_broker():
    refused([(GREETING, b"HTTP/1.1 400 Bad Request\r\n\r\n")], "EPROTO", "")
    refused([(GREETING, b"SSH-2.0-OpenSSH_9.2\r\n")], "EPROTO", "")
    refused([(GREETING, b"AMQP\x00\x00\x09\x02")], "EPROTO", "")
    refused([(GREETING, b"\x00" * 64)], "EPROTO", "")


def gives_up_on_silence_in_time():
    begun = time.monotonic()
    refused([], "ETIMEDOUT", "no answer", timeout_ms=300)
    refused([(GREETING, start())], "ETIMEDOUT", "no answer", timeout_ms=300)
    refused([(GREETING, start()[:40])], "ETIMEDOUT", "no answer", timeout_ms=300)
    # Each takes 12 s where the library has its own way.
    check(time.monotonic() - begun < 30, "it waits longer than it was told")


def refuses_a_broker_that_is_too_old():
    refused(login(capabilities=("basic.nack", "publisher_confirms", "connection.blocked")),
            "EPROTO", "1.2.3 is too old: it has no consumer_cancel_notify")
    refused(login(capabilities=()), "EPROTO", "too old")


def survives_frames_that_are_too_small():
    lost(frame(METHOD, 1, b"\x00\x14"), "EPROTO", "")
    lost(frame(METHOD, 1, b""), "EPROTO", "")
    lost(frame(HEADER, 1, b"\x00\x3c"), "EPROTO", "")
    lost(OPEN_OK + method(1, 50, 11, b"\x05"), "EPROTO", "")
    for size in (1, 4, 7, 8, 9, 20):
        # The least that AMQP allows is 4096.
        with scripted([*login(frame_max=size), (CHANNEL_OPEN, OPEN_OK)]) as url, \
                Talk(url) as talk:
            talk.request("open 1")


def survives_frames_that_are_wrong():
    lost(b"\x01\x00\x01\xff\xff\xff\xff\x00\x14\x00\x0b", "EPROTO", "")
    lost(OPEN_OK[:-1] + b"\x00", "EPROTO", "")
    lost(method(1, 99, 99), "EPROTO", "")
    with scripted(
            [*login(), (CHANNEL_OPEN, frame(7, 1, b"what") + OPEN_OK)]) as url, Talk(url) as talk:
        talk.request("open 1")


def refuses_what_comes_out_of_turn():
    lost(method(1, 50, 11, short("q") + b"\x00" * 8), "EPROTO", "nobody asked for")
    lost(method(7, 20, 11, long(b"")), "EPROTO", "channel 7, which is not open")
    lost(OPEN_OK + header(1), "EPROTO", "none is due")
    lost(OPEN_OK + frame(BODY, 1, b"x"), "EPROTO", "none is due")
    lost(OPEN_OK + DELIVER + header(3) + frame(BODY, 1, b"xxxx"), "EPROTO", "none is due")
    lost(OPEN_OK + DELIVER + DELIVER, "EPROTO", "half of a message")
    lost(OPEN_OK + DELIVER + header(1 << 63) + frame(BODY, 1, b"x") + DELIVER,
         "EPROTO", "half of a message")


def answers_a_request_that_was_never_sent_in_its_turn():
    declared = method(1, 50, 11, short("q") + b"\x00" * 8)
    with scripted([*login(), (CHANNEL_OPEN, OPEN_OK + declared + declared)]) as url, \
            Talk(url) as talk:
        # At once, and so are the answers.
        talk.say("\n".join(["open 1", "declare 1 a", f"declare 1 {'n' * 256}", "declare 1 b"]))
        for answer in ("OK", "EINPUT", "OK"):
            talk.wait(f"reply declare {answer} ")


def shows_no_control_characters():
    close = struct.pack(">H", 541) + short("red \x1b[31m\nline") + struct.pack(">HH", 0, 0)
    line = lost(method(0, 10, 50, close), "EUNAVAIL", "541 red  [31m line")
    check(line.isprintable(), f"control characters: {line!r}")


TESTS = [
    gives_up_on_what_is_no_broker,
    gives_up_on_silence_in_time,
    refuses_a_broker_that_is_too_old,
    survives_frames_that_are_too_small,
    survives_frames_that_are_wrong,
    refuses_what_comes_out_of_turn,
    answers_a_request_that_was_never_sent_in_its_turn,
    shows_no_control_characters,
]


def main():
    Talk.program = sys.argv[1]
    tests = [test for test in TESTS if not sys.argv[2:] or sys.argv[2] in test.__name__]
    print(f"1..{len(tests)}", flush=True)
    return 1 if run(tests) else 0


if __name__ == "__main__":
    sys.exit(main())
