# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 as its enemies speak it, frame by frame: http2_test.py BIN_DIRECTORY. The connection that misbehaves is ended or
costs a bounded amount; others are answered all the while."""
import os
import shutil
import signal
import socket
import ssl
import struct
import tempfile
import time
import unittest

from crowd import admin_context, allow_many_files, allowance, forget_peak, memory, open_sockets
from programs import Flotillad
from security_test import Client

MAPS = "/api/v1/namespaces/storm/configmaps"
MIB = 1 << 20
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MAX_STREAMS, INITIAL_WINDOW = 3, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def number(value, prefix):
    """HPACK's integer, its first bits zero."""
    limit = (1 << prefix) - 1
    if value < limit:
        return bytes((value,))
    out, value = bytes((limit,)), value - limit
    while value >= 128:
        out, value = out + bytes((value % 128 + 128,)), value // 128
    return out + bytes((value,))


def fields(*pairs):
    """HPACK: every field spelt out."""
    return b"".join(b"\0" + number(len(name), 7) + name.encode() + number(len(value), 7) + value.encode() for name, value in pairs)


def request(path, method="GET", *more):
    return fields((":method", method), (":scheme", "https"), (":path", path), (":authority", "x"), *more)


class Connection:
    def __init__(self, daemon, context, **settings):
        sock = socket.create_connection(("127.0.0.1", daemon.port), timeout=60)
        self.sock = context.wrap_socket(sock, server_hostname="127.0.0.1")
        assert self.sock.selected_alpn_protocol() == "h2"
        self.unread = b""
        chosen = b"".join(struct.pack(">HI", key, value) for key, value in settings.get("settings", {}).items())
        self.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, chosen))

    def send(self, data):
        self.sock.sendall(data)

    def open(self, stream, block):
        self.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, block))

    def read(self):
        """The next frame as (kind, flags, stream, payload); None: the connection was ended."""
        try:
            while len(self.unread) < 9 or len(self.unread) < 9 + int.from_bytes(self.unread[:3], "big"):
                block = self.sock.recv(65536)
                if not block:
                    return None
                self.unread += block
        except (ConnectionError, ssl.SSLError):
            return None
        size = int.from_bytes(self.unread[:3], "big")
        kind, flags, stream = self.unread[3], self.unread[4], int.from_bytes(self.unread[5:9], "big") & 0x7FFFFFFF
        payload, self.unread = self.unread[9:9 + size], self.unread[9 + size:]
        return kind, flags, stream, payload

    def until(self, kind, flags=0):
        """The next frame of that kind with those flags; None: the connection was ended before."""
        while (got := self.read()) and not (got[0] == kind and got[1] & flags == flags):
            pass
        return got

    def alive(self):
        """Whether a ping is answered."""
        try:
            self.send(frame(PING, 0, 0, b"are you?"))
        except (ConnectionError, ssl.SSLError):
            return False
        while got := self.read():
            if got[0] == PING and got[1] & ACK and got[3] == b"are you?":
                return True
        return False

    def ended(self):
        """Reads to the end of the connection; the error code of its GOAWAY, or None."""
        code = None
        while got := self.read():
            if got[0] == GOAWAY:
                code = int.from_bytes(got[3][4:8], "big")
        return code


class Http2Test(unittest.TestCase):
    def setUp(self):
        allow_many_files()
        self.folder = tempfile.mkdtemp(prefix="flotilla-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.daemon = Flotillad(os.path.join(self.folder, "plane"), "--set", "controllers.enabled=false", "--set", "storage.name=memory")
        self.addCleanup(self.daemon.stop, signal.SIGKILL)
        self.assertTrue(self.daemon.ready(), self.daemon.errors())
        self.context = admin_context(self.daemon, ["h2"])
        self.client = Client(self.daemon)
        self.client.json("POST", "/api/v1/namespaces", {"metadata": {"name": "storm"}})
        self.pid = self.daemon.process.pid
        self.before = open_sockets(self.pid)
        forget_peak(self.pid)
        self.resting = memory(self.pid)

    def connect(self, **options):
        made = Connection(self.daemon, self.context, **options)
        self.addCleanup(made.sock.close)
        return made

    def grown(self):
        return memory(self.pid) - self.resting

    def holds(self, connections, limit):
        """The daemon answers others, cost no more than that, and forgets these."""
        self.assertEqual(self.client.call("GET", "/livez"), (200, "ok"))
        self.assertLess(self.grown(), limit * allowance(self.pid))
        print(f"{self.id().rsplit('.', 1)[1]}: {self.grown() / MIB:.1f} MiB")
        for one in connections:
            one.sock.close()
        end = time.monotonic() + 30
        while open_sockets(self.pid) > self.before:
            self.assertLess(time.monotonic(), end, "sockets are still open")
            self.client.call("GET", "/livez")

    def flood(self, connection, data, times):
        """Sends until it is all sent or the server had enough."""
        try:
            for _ in range(times):
                connection.send(data)
        except (ConnectionError, ssl.SSLError):
            pass

    def test_streams_opened_and_reset_at_once(self):
        one = self.connect()
        block = request(MAPS)
        stream = 1
        try:
            for _ in range(100):
                burst = b""
                for _ in range(100):
                    burst += frame(HEADERS, END_STREAM | END_HEADERS, stream, block) + frame(RESET, 0, stream, struct.pack(">I", 8))
                    stream += 2
                one.send(burst)
        except (ConnectionError, ssl.SSLError):
            pass
        self.holds([one], 48 * MIB)

    def test_a_head_without_end(self):
        one = self.connect()
        one.send(frame(HEADERS, 0, 1, request("/livez")))
        self.flood(one, frame(CONTINUATION, 0, 1, fields(("x", "y" * 16000))), 2000)
        one.ended()
        self.holds([one], 16 * MIB)

    def test_a_head_that_is_too_large(self):
        one = self.connect()
        block = request("/livez", "GET", *((f"x-{i}", "y" * 1000) for i in range(100)))
        one.send(frame(HEADERS, END_STREAM, 1, block[:16000]))
        for at in range(16000, len(block), 16000):
            one.send(frame(CONTINUATION, END_HEADERS if at + 16000 >= len(block) else 0, 1, block[at:at + 16000]))
        while (got := one.read()) and not (got[0] in (HEADERS, RESET) and got[2] == 1):
            pass
        if got:  # 431 or a reset of that stream: either way the others live
            one.open(3, request("/livez"))
            self.assertTrue(one.alive())
        self.holds([one], 16 * MIB)

    def test_pings_and_settings_whose_answers_nobody_reads(self):
        for data in (frame(PING, 0, 0, b"12345678") * 100, frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW, 65535)) * 100):
            one = self.connect()
            one.sock.settimeout(5)
            try:
                self.flood(one, data, 3000)
            except TimeoutError:
                pass
            self.holds([one], 16 * MIB)

    def test_a_window_that_stays_shut(self):
        """A hundred lists of 8 MB asked for on each of two connections, not a byte of which is taken: a piece of each waits."""
        for i in range(16):
            self.client.json("POST", MAPS, {"metadata": {"name": f"large-{i}"}, "data": {"x": str(i % 10) * 500_000}})
        forget_peak(self.pid)
        self.resting = memory(self.pid)
        shut = [self.connect(settings={INITIAL_WINDOW: 0}) for _ in range(2)]
        for one in shut:
            for i in range(100):
                one.open(2 * i + 1, request(MAPS))
            for _ in range(100):
                self.assertIsNotNone(one.until(HEADERS))
        self.holds(shut, 160 * MIB)

    def test_more_streams_than_allowed(self):
        one = self.connect()
        allowed = None
        while allowed is None:
            kind, flags, _, payload = one.read()
            if kind == SETTINGS and not flags & ACK:
                pairs = [struct.unpack(">HI", payload[at:at + 6]) for at in range(0, len(payload), 6)]
                allowed = dict(pairs)[MAX_STREAMS]
        watch = request(MAPS + "?watch=true")
        for i in range(allowed):
            one.open(2 * i + 1, watch)
        for _ in range(allowed):
            self.assertIsNotNone(one.until(HEADERS))
        one.open(2 * allowed + 1, watch)
        got = one.until(RESET)
        self.assertEqual((got[2], int.from_bytes(got[3], "big")), (2 * allowed + 1, 7))  # REFUSED_STREAM
        one.send(frame(RESET, 0, 1, struct.pack(">I", 8)))
        one.open(2 * allowed + 3, request("/livez"))
        self.assertEqual(one.until(DATA)[3], b"ok")
        self.holds([one], 16 * MIB)

    def test_two_thousand_watches_come_and_go(self):
        connections = [self.connect() for _ in range(10)]
        watch = request(MAPS + "?watch=true")
        for turn in range(4):
            for one in connections:
                first = 100 * turn + 1
                for i in range(50):
                    one.open(first + 2 * i, watch)
                for _ in range(50):
                    self.assertIsNotNone(one.until(HEADERS))
                one.send(b"".join(frame(RESET, 0, first + 2 * i, struct.pack(">I", 8)) for i in range(50)))
        self.assertTrue(all(one.alive() for one in connections))
        self.client.json("POST", MAPS, {"metadata": {"name": "after"}})
        self.holds(connections, 48 * MIB)

    def test_frames_that_make_no_sense(self):
        head = frame(HEADERS, END_HEADERS, 1, request(MAPS, "POST", ("content-type", "application/json")))
        for data in (
            frame(DATA, 0, 1, b"x"),                                             # of a stream that is not open
            frame(HEADERS, END_HEADERS | END_STREAM, 2, request("/livez")),      # a number that is the server's
            frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\xff" * 50),           # no HPACK
            frame(HEADERS, END_HEADERS | END_STREAM, 1, fields((":path", "/"))),  # no method
            frame(HEADERS, END_HEADERS | END_STREAM, 1, request("/livez", "GET", ("connection", "close"))),
            frame(HEADERS, END_HEADERS | END_STREAM, 1, request("/livez", "GET", ("content-length", "5"))),
            frame(HEADERS, END_HEADERS | END_STREAM, 1, request("/li\r\nvez")),
            frame(HEADERS, END_HEADERS | END_STREAM, 1, request("/livez", "GET", ("x", "a\r\nb: c"))),
            frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW, 1 << 31)),
            frame(SETTINGS, 0, 0, b"odd"),
            frame(PING, 0, 0, b"short"),
            frame(WINDOW, 0, 0, struct.pack(">I", 0)),
            frame(CONTINUATION, 0, 1, b""),
            frame(GOAWAY, 0, 0, b""),
            b"\xff\xff\xff" + frame(DATA, 0, 1)[3:] + b"x" * 20000,               # larger than any frame may be
            head + frame(WINDOW, 0, 1, struct.pack(">I", 0x7FFFFFFF)),
            head + frame(DATA, 8, 1, b"\xff" + b"x" * 10),                        # padding beyond the frame
            head + frame(RESET, 0, 1, b"xx"),
        ):
            one = self.connect()
            try:
                one.send(data)
                lives = one.alive()
            except (ConnectionError, ssl.SSLError):
                lives = False
            if lives:  # it was the stream's fault alone
                one.open(101, request("/livez"))
                self.assertEqual(one.until(DATA)[3], b"ok", data[:60])
            one.sock.close()
        self.holds([], 16 * MIB)

    def test_a_body_that_never_comes(self):
        many = [self.connect() for _ in range(20)]
        for one in many:
            for i in range(50):
                one.send(frame(HEADERS, END_HEADERS, 2 * i + 1, request(MAPS, "POST", ("content-type", "application/json"))))
                one.send(frame(DATA, 0, 2 * i + 1, b"{"))
        self.assertTrue(all(one.alive() for one in many))
        self.holds(many, 64 * MIB)


if __name__ == "__main__":
    unittest.main(verbosity=2)
