# SPDX-License-Identifier: Apache-2.0
"""Many clients of one daemon at once, in one thread, and what the daemon has open and in memory."""
import asyncio
import json
import os
import resource
import ssl


def allow_many_files():
    """As many descriptors as this machine allows; how many connections a test may hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - 200


def memory(pid, key="VmHWM"):
    """Bytes, of the line KEY in the process's status: VmRSS now, VmHWM at most so far."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(key + ":"):
                return int(line.split()[1]) << 10
    raise AssertionError(f"no {key}")


def allowance(pid):
    """How many bytes a program takes for one that it asks for: a sanitizer keeps what was freed, and notes beside all."""
    return 4 if memory(pid, "VmSize") > 1 << 40 else 1


def forget_peak(pid):
    """VmHWM starts again from what is resident now."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def open_sockets(pid):
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
        except OSError:
            pass
    return count


def admin_context(daemon, alpn=()):
    pki = os.path.join(daemon.data_dir, "pki")
    context = ssl.create_default_context(cafile=f"{pki}/ca.crt")
    context.load_cert_chain(f"{pki}/admin.crt", f"{pki}/admin.key")
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class Peer:
    """One HTTP/1.1 connection over TLS, of the administrator."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, daemon, context):
        reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port, ssl=context, server_hostname="127.0.0.1",
                                                       ssl_handshake_timeout=120, limit=1 << 20)
        return cls(reader, writer)

    def send(self, method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self.writer.write(head.encode() + data)

    async def head(self):
        """Status and header lines."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:] if line)

    async def answer(self):
        status, headers = await self.head()
        if headers.get("transfer-encoding") == "chunked":
            parts = []
            while part := await self.chunk():
                parts.append(part)
            return status, json.loads(b"".join(parts))
        text = await self.reader.readexactly(int(headers["content-length"]))
        return status, json.loads(text) if "json" in headers["content-type"] else text

    async def chunk(self):
        length = int(await self.reader.readline(), 16)
        return (await self.reader.readexactly(length + 2))[:-2]

    async def call(self, method, path, body=None):
        self.send(method, path, body)
        return await self.answer()

    async def ended(self):
        """Whether the server ends the connection, which it must."""
        try:
            return await self.reader.read(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def drop(self):
        self.writer.transport.abort()


async def several(count, start, at_once=100):
    """`count` results of the coroutine function start(i), at most `at_once` of them under way."""
    gate = asyncio.Semaphore(at_once)

    async def one(index):
        async with gate:
            return await start(index)
    return await asyncio.gather(*(one(index) for index in range(count)))
