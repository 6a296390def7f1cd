"""A TCP proxy that cuts connections where a test says: TLS passes through it untouched, and is cut like the rest.

    with CuttingProxy(("10.0.0.2", 6443)) as proxy:
        proxy.plan = lambda number: Cut("down", records=3) if number == 0 else None
        ...                                  # a client of proxy.address
        proxy.plan = random_cuts(seed=7, most=500_000)
        proxy.out("refuse", seconds=120)     # an outage that ends by itself; or .back()
        proxy.connections[0].cut, proxy.bytes("down"), proxy.cuts()

Connections are numbered from 0 as they are accepted; the plan is asked once for each. Thread-safe.
"""
import dataclasses
import random
import socket
import struct
import threading
from typing import Callable, Optional

PIECE = 1 << 16
RST, FIN, REFUSE, SILENT = "rst", "fin", "refuse", "silent"


@dataclasses.dataclass(frozen=True)
class Cut:
    """Where a connection ends: `records` whole TLS records of that direction and `after` further bytes have passed,
    and one more byte would have. With `asked`, down only: that many records have passed up, and the first byte that
    comes down behind them would have, so that a request is carried out and its reply lost."""

    direction: str  # "up": from the client to the server; "down"
    records: int = 0
    after: int = 0
    # Of this connection: RST, FIN. Of the whole proxy: REFUSE, SILENT, for `seconds`, or until back().
    how: str = RST
    seconds: Optional[float] = None
    asked: Optional[int] = None


@dataclasses.dataclass(frozen=True)
class Pause:
    """The proxy goes silent, until back(), at one request of all its connections together: a record up behind each one's
    handshake, numbered from 0 as they come."""

    request: int
    # The request itself does not pass; otherwise it does, and nothing comes down behind it.
    held: bool
    # Records up of a TLS 1.3 handshake with a server that asks for a certificate, which the client does not have:
    # ClientHello, ChangeCipherSpec, Certificate, Finished.
    handshake: int = 4


def random_cuts(seed, most, least=0, share=1.0, direction=None) -> Callable[[int], Optional[Cut]]:
    """A plan: this share of the connections is cut behind `least` to `most` bytes. The same seed, the same cuts."""

    def plan(number):
        dice = random.Random(f"{seed}/{number}")
        if dice.random() >= share:
            return None
        return Cut(direction or dice.choice(("up", "down")), after=dice.randint(least, most), how=dice.choice((RST, FIN)))

    return plan


class Meter:
    """Counts the bytes and the whole TLS records (RFC 8446, 5.1: type, version, length) of one direction."""

    HEADER = 5

    def __init__(self):
        self.bytes = 0
        self.records = 0
        self._header = b""
        self._left = 0

    def at_boundary(self):
        """Between two records."""
        return self._left == 0 and not self._header

    def rest_of_record(self, piece):
        """How much of the piece belongs to the record that is not whole yet, or to the next one."""
        header = self._header + piece[:self.HEADER - len(self._header)]
        if self._left == 0 and len(header) == self.HEADER:
            return min(len(piece), self.HEADER - len(self._header) + int.from_bytes(header[3:], "big"))
        return min(len(piece), self._left) if self._left else len(piece)

    def take(self, piece, records=None):
        """How much of the piece passes until that many records have; all of it without a limit."""
        at = 0
        while at < len(piece) and not (records is not None and self.records >= records):
            if self._left == 0:
                part = piece[at:at + self.HEADER - len(self._header)]
                self._header += part
                at += len(part)
                if len(self._header) < self.HEADER:
                    continue
                self._left = int.from_bytes(self._header[3:], "big")
                self._header = b""
            else:
                step = min(self._left, len(piece) - at)
                self._left -= step
                at += step
            if self._left == 0:
                self.records += 1
        self.bytes += at
        return at


class Connection:
    """One that was accepted. `cut`: how it ended, if that was our doing."""

    def __init__(self, number, client, plan):
        self.number = number
        self.plan = plan
        # What ends it if it passes, by direction: a Cut and how many of its bytes behind the records are left.
        self.armed = {}
        if plan is not None:
            self.arm(plan)
        self.cut = None
        self.meters = {"up": Meter(), "down": Meter()}
        # By a Pause.
        self.unanswered = False
        self.client, self.server = client, None
        self._lock = threading.Lock()
        self._over = False
        self._pumps = 2

    def arm(self, cut):
        self.armed[cut.direction] = [cut, cut.after]

    def arm_from_here(self, cut):
        """As if it had begun only now."""
        if self.cut is None:
            self.arm(dataclasses.replace(cut, records=self.meters[cut.direction].records + cut.records))

    def disarm_outages(self):
        for direction, (cut, _) in list(self.armed.items()):
            if cut.how in (REFUSE, SILENT):
                del self.armed[direction]

    def is_open(self):
        with self._lock:
            return self._pumps > 0 and not self._over

    def sockets(self):
        return [one for one in (self.client, self.server) if one is not None]

    def end(self, how):
        with self._lock:
            self._over = True
            for one in self.sockets():
                try:
                    if how == RST:
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    # Wakes the threads that read it, too.
                    one.shutdown(socket.SHUT_RD if how == RST else socket.SHUT_RDWR)
                except OSError:
                    pass
                if how == RST:
                    one.close()

    def pump_ended(self, sink, end_of_stream):
        with self._lock:
            if end_of_stream and not self._over:
                try:
                    sink.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
            self._pumps -= 1
            if self._pumps == 0:
                for one in self.sockets():
                    one.close()


class CuttingProxy:
    def __init__(self, target, plan=None):
        self.target = target
        self.plan = plan
        # A Pause, and how many requests came since it was set.
        self.pause = None
        self.requests = 0
        self.connections = []
        # Those that forget() left out, too.
        self._open = []
        self._cuts = 0
        self._lock = threading.RLock()
        self._flowing = threading.Event()
        self._flowing.set()
        self.outages = 0
        self._timer = None
        self._closed = False
        self._listener = self._bind(0)
        self.address = self._listener.getsockname()
        self._listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def cuts(self):
        with self._lock:
            return self._cuts

    def bytes(self, direction):
        with self._lock:
            return sum(one.meters[direction].bytes for one in self.connections)

    def forget(self):
        """Counts connections, cuts and requests from 0 again."""
        with self._lock:
            self.connections = []
            self._cuts = 0
            self.requests = 0

    def cut_from_here(self, cut):
        """Every connection that is open: its records and bytes count from now on. Not for `asked`."""
        with self._lock:
            for one in self._open:
                one.arm_from_here(cut)

    def out(self, how, seconds=None):
        """Nobody answers from now on: REFUSE resets what is open and refuses what comes; SILENT lets nothing through."""
        with self._lock:
            if self._closed or not self._flowing.is_set():
                return
            self._flowing.clear()
            self.outages += 1
            # A point is met once, however many connections were to come to it.
            for one in self._open:
                one.disarm_outages()
            if how == REFUSE:
                self._stop_listening()
                # Bound without listening: the port stays ours and refuses.
                self._listener = self._bind(self.address[1])
                for one in self._open:
                    one.end(RST)
            if seconds is not None:
                self._timer = threading.Timer(seconds, self.back)
                self._timer.daemon = True
                self._timer.start()

    def back(self):
        with self._lock:
            if self._closed or self._flowing.is_set():
                return
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._flowing.set()
            self._listen()

    def is_out(self):
        return not self._flowing.is_set()

    def close(self):
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            self._stop_listening()
            self._flowing.set()
            for one in self._open:
                one.end(RST)

    # --- within ---------------------------------------------------------------------

    @staticmethod
    def _bind(port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        return listener

    def _listen(self):
        if self._listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return
        self._listener.listen(128)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _stop_listening(self):
        try:
            # Wakes the thread in accept().
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                if self._closed:
                    client.close()
                    return
                number = len(self.connections)
                connection = Connection(number, client, self.plan(number) if self.plan else None)
                self.connections.append(connection)
                self._open = [one for one in self._open if one.is_open()] + [connection]
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        self._flowing.wait()
        try:
            server = socket.create_connection(self.target)
        except OSError:
            connection.end(RST)
            return
        connection.server = server
        for one in connection.sockets():
            try:
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:  # reset meanwhile
                pass
        threading.Thread(target=self._pump, args=(connection, "down", server, connection.client), daemon=True).start()
        self._pump(connection, "up", connection.client, server)

    def _pump(self, connection, direction, source, sink):
        meter = connection.meters[direction]
        end_of_stream = False
        try:
            for piece in self._pieces(direction, meter, source):
                self._flowing.wait()
                if self._pauses(connection, direction):
                    self.out(SILENT)
                    self._flowing.wait()
                armed = connection.armed.get(direction)
                cut = armed and armed[0]
                if cut and cut.asked is not None:
                    passing = meter.take(piece) if connection.meters["up"].records < cut.asked else 0
                else:
                    passing = meter.take(piece, cut.records) if cut else meter.take(piece)
                if cut and passing < len(piece):
                    more = min(armed[1], len(piece) - passing)
                    armed[1] -= more
                    meter.take(piece[passing:passing + more])
                    passing += more
                if passing < len(piece) and cut.how == SILENT:
                    # Before the last bytes are out, so that who has them knows that it has begun.
                    self._perform(connection, cut)
                sink.sendall(piece[:passing])
                if passing < len(piece):
                    if cut.how != SILENT:
                        self._perform(connection, cut)
                        return
                    self._flowing.wait()
                    # What was held goes on, and is not cut again.
                    connection.armed.pop(direction, None)
                    meter.take(piece[passing:])
                    sink.sendall(piece[passing:])
            end_of_stream = True
        except OSError:
            # Reset by one end: the other shall see it as well.
            connection.end(RST)
        finally:
            connection.pump_ended(sink, end_of_stream)

    def _pieces(self, direction, meter, source):
        """What comes; towards a Pause, record by record. Each is metered before the next is asked for."""
        while piece := source.recv(PIECE):
            while piece:
                size = meter.rest_of_record(piece) if direction == "up" and self.pause else len(piece)
                yield piece[:size]
                piece = piece[size:]

    def _pauses(self, connection, direction):
        """Whether what comes now is where the Pause begins."""
        with self._lock:
            pause = self.pause
            if pause is None:
                return False
            if direction == "down":
                begins, connection.unanswered = connection.unanswered, False
                return begins
            meter = connection.meters["up"]
            if meter.records < pause.handshake or not meter.at_boundary():
                return False
            number, self.requests = self.requests, self.requests + 1
            connection.unanswered |= number == pause.request and not pause.held
            return number == pause.request and pause.held

    def _perform(self, connection, cut):
        connection.cut = cut
        with self._lock:
            self._cuts += 1
        if cut.how in (RST, FIN):
            connection.end(cut.how)
        else:
            self.out(cut.how, cut.seconds)
