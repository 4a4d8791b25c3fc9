# SPDX-License-Identifier: Apache-2.0
"""A network that can be cut: what connects to its port is connected to another one on this machine."""
import socket
import threading


class Relay:
    def __init__(self, target):
        self.target = target
        self.whole = True
        self.lock = threading.Lock()
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                if not self.whole:
                    raise OSError("cut")
                far = socket.create_connection(("127.0.0.1", self.target), timeout=10)
                far.settimeout(None)
            except OSError:
                near.close()
                continue
            with self.lock:
                self.open |= {near, far}
                if not self.whole:
                    near.close()
                    far.close()
                    continue
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass
        for one in (source, sink):
            self.end(one)

    def end(self, one):
        with self.lock:
            self.open.discard(one)
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        one.close()

    def cut(self):
        self.whole = False
        with self.lock:
            ending = list(self.open)
        for one in ending:
            self.end(one)

    def mend(self):
        self.whole = True

    def close(self):
        self.cut()
        self.listener.close()
