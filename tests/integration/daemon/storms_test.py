# SPDX-License-Identifier: Apache-2.0
"""Too many clients, and clients that stop half way: storms_test.py BIN_DIRECTORY. The daemon answers an honest client all
the while, its memory stays bounded, and afterwards it has nothing open of theirs."""
import asyncio
import os
import shutil
import signal
import socket
import ssl
import tempfile
import time
import unittest

from crowd import Peer, admin_context, allow_many_files, allowance, forget_peak, memory, open_sockets, several
from programs import Flotillad

FILES = allow_many_files()
MAPS = "/api/v1/namespaces/storm/configmaps"
MIB = 1 << 20


class StormsTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # reports every slow step
        self.folder = tempfile.mkdtemp(prefix="flotilla-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    async def serve(self, *settings):
        flags = [part for one in ("controllers.enabled=false", "storage.name=memory", *settings) for part in ("--set", one)]
        self.daemon = Flotillad(os.path.join(self.folder, "plane"), *flags)
        self.addCleanup(self.daemon.stop, signal.SIGKILL)
        self.assertTrue(self.daemon.ready(), self.daemon.errors())
        self.pid = self.daemon.process.pid
        self.context = admin_context(self.daemon)
        self.honest = await self.peer()
        self.addCleanup(self.honest.drop)
        self.assertEqual((await self.honest.call("POST", "/api/v1/namespaces", {"metadata": {"name": "storm"}}))[0], 201)
        self.before = open_sockets(self.pid)

    async def peer(self, *_):
        return await Peer.to(self.daemon, self.context)

    async def answers(self):
        began = time.monotonic()
        status, _ = await self.honest.call("GET", MAPS + "?limit=1")
        self.assertEqual(status, 200)
        return time.monotonic() - began

    async def nothing_left(self, seconds=30):
        end = time.monotonic() + seconds
        while (left := open_sockets(self.pid) - self.before) > 0:
            self.assertLess(time.monotonic(), end, f"{left} sockets are still open")
            await self.answers()

    async def write(self, name, data, verb="PUT"):
        path = MAPS if verb == "POST" else f"{MAPS}/{name}"
        status, _ = await self.honest.call(verb, path, {"metadata": {"name": name}, "data": data})
        self.assertIn(status, (200, 201))

    def raw(self):
        sock = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=60)
        self.addCleanup(sock.close)
        return sock

    async def test_no_more_connections_than_allowed(self):
        await self.serve("api.max_connections=40")
        inside = [await self.peer() for _ in range(39)]  # the honest one is the fortieth
        for one in inside:
            self.assertEqual((await one.call("GET", "/livez"))[0], 200)
        for _ in range(20):
            with self.assertRaises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await self.peer()
        for one in inside:  # who is inside stays inside
            self.assertEqual((await one.call("GET", "/livez"))[0], 200)
        self.assertIn('too many connections', self.daemon.errors())
        self.assertLess(self.daemon.errors().count("too many connections"), 20, "said once a second at most")
        inside.pop().drop()
        end = time.monotonic() + 10
        while True:
            try:
                inside.append(await self.peer())
                break
            except (ssl.SSLError, ConnectionError):
                self.assertLess(time.monotonic(), end, "a place that was left is given to the next")
        self.assertEqual((await inside[-1].call("GET", "/livez"))[0], 200)
        for one in inside:
            one.drop()
        await self.nothing_left()

    async def test_thousands_of_connections_in_one_go(self):
        await self.serve()
        count = min(4000, FILES)
        socks = []
        for _ in range(count):  # all of them knock before anyone is let in
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.daemon.port))
            socks.append(sock)

        late = []

        async def knock(index):
            try:
                peer = Peer(*await asyncio.open_connection(sock=socks[index], ssl=self.context, server_hostname="127.0.0.1",
                                                           ssl_handshake_timeout=120))
                answer = await peer.call("GET", "/livez")
            except (ConnectionError, asyncio.IncompleteReadError):  # on a slow machine its half minute ends before its turn comes
                late.append(index)
                peer = await self.peer()
                answer = await peer.call("GET", "/livez")
            self.assertEqual(answer[0], 200)
            return peer
        forget_peak(self.pid)
        resting = memory(self.pid)
        peers = await several(count, knock, at_once=200)
        took = await self.answers()
        grown = memory(self.pid) - resting
        print(f"{count} connections at once, {len(late)} came late: {grown / count / 1024:.1f} KiB each; a request among them {took * 1000:.1f} ms")
        self.assertLess(grown, count * (64 << 10) * allowance(self.pid))
        for peer in peers:
            peer.drop()
        await self.nothing_left()

    async def test_two_thousand_watches_come_and_go(self):
        await self.serve()
        await self.write("seen", {}, verb="POST")
        stop = asyncio.Event()

        async def keep_writing():
            count = 0
            while not stop.is_set():
                await self.write("seen", {"count": str(count := count + 1)})
            return count
        writing = asyncio.create_task(keep_writing())
        peaks = []
        for _ in range(4):
            peers = await several(500, self.peer)

            async def watch(index):
                peers[index].send("GET", MAPS + "?watch=true&resourceVersion=0")
                self.assertEqual((await peers[index].head())[0], 200)
                self.assertIn(b'"ADDED"', await peers[index].chunk())
                if index % 2:  # half of them go as soon as they came, the others after they saw a change
                    self.assertIn(b'"MODIFIED"', await peers[index].chunk())
                peers[index].drop()
            await several(500, watch)
            peaks.append(memory(self.pid))
        stop.set()
        written = await writing
        await self.nothing_left()
        print(f"2000 watches over {written} changes: peak {peaks[0] // MIB} MiB after 500, {peaks[-1] // MIB} MiB after 2000")
        self.assertLess(peaks[-1] - peaks[0], 48 * MIB * allowance(self.pid))

    async def test_watches_on_one_connection_after_the_other(self):
        """The same connection asks for a watch again and again; each ends by itself."""
        await self.serve()
        await self.write("seen", {}, verb="POST")

        async def again(_):
            peer = await self.peer()
            for turn in range(3):
                peer.send("GET", MAPS + "?watch=true&resourceVersion=0&timeoutSeconds=1")
                self.assertEqual((await peer.head())[0], 200)
                events = 0
                while await peer.chunk():
                    events += 1
                self.assertEqual(events, 1, turn)
            peer.drop()
        await several(50, again)
        await self.nothing_left()

    async def test_readers_that_stop_reading(self):
        """Lists and watches whose readers take nothing: they share what they are sent."""
        await self.serve()
        for i in range(16):
            await self.write(f"large-{i:02}", {"x": str(i % 10) * 500_000}, verb="POST")
        await self.honest.call("GET", MAPS)
        slow = []
        forget_peak(self.pid)
        resting = memory(self.pid)
        for i in range(200):
            sock = self.raw()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock = self.context.wrap_socket(sock, server_hostname="127.0.0.1")
            self.addCleanup(sock.close)
            query = "" if i % 2 else "?watch=true&resourceVersion=0"
            sock.sendall(f"GET {MAPS}{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            slow.append(sock)
        await self.answers()
        for i in range(100):
            await self.write(f"large-{i % 16:02}", {"x": str(i % 10) * 500_000})
        grown = memory(self.pid) - resting
        print(f"100 lists of 8 MB and 100 watches of 58 MB that nobody reads: {grown // MIB} MiB")
        self.assertLess(grown, 400 * MIB * allowance(self.pid))
        for sock in slow:
            sock.close()
        await self.nothing_left()

    async def test_what_stays_half_open_is_closed(self):
        """Nothing sent, half a handshake, half a head, half a body: each is given the time of a head, half a minute."""
        await self.serve()
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        began = time.monotonic()
        halves = []

        def half(text=None):
            sock = self.raw()
            if text is None:
                return halves.append(sock)
            if isinstance(text, int):
                sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[:text])
                return halves.append(sock)
            sock = self.context.wrap_socket(sock, server_hostname="127.0.0.1")
            self.addCleanup(sock.close)
            sock.sendall(text)
            halves.append(sock)
        for i in range(100):
            half()
            half(1 + i % 11)
            half(b"GET /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nAccept"[:1 + i % 48])
            half(b"POST " + MAPS.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        self.assertLess(await self.answers(), 5)

        async def closed(index):
            sock = halves[index]
            if isinstance(sock, ssl.SSLSocket):
                return await asyncio.to_thread(self.read_end, sock)
            sock.setblocking(False)
            try:
                while await asyncio.get_running_loop().sock_recv(sock, 4096):
                    pass
            except ConnectionError:
                pass
            return True
        done = await asyncio.wait_for(several(len(halves), closed, at_once=400), 60)
        took = time.monotonic() - began
        print(f"400 half connections were closed after {took:.0f} s")
        self.assertTrue(all(done))
        self.assertGreater(took, 25, "a slow client is given time")
        await self.nothing_left()

    @staticmethod
    def read_end(sock):
        sock.settimeout(60)
        try:
            while sock.recv(4096):
                pass
        except (ssl.SSLError, ConnectionError):
            pass
        return True

    async def test_a_client_that_only_closes_its_side_gets_its_answer(self):
        await self.serve()
        for text in (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 5):
            sock = socket.socket(socket.AF_UNIX)
            self.addCleanup(sock.close)
            sock.settimeout(20)
            sock.connect(os.path.join(self.daemon.data_dir, "admin.sock"))
            sock.sendall(text)
            sock.shutdown(socket.SHUT_WR)
            answer = b""
            while block := sock.recv(65536):
                answer += block
            self.assertEqual(answer.count(b"HTTP/1.1 200 OK"), text.count(b"GET"))
        await self.nothing_left()


if __name__ == "__main__":
    unittest.main(verbosity=2)
