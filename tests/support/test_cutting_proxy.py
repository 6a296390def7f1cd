"""The cutting proxy itself, against a server that answers each line."""
import errno
import socket
import struct
import threading
import unittest

import cutting_proxy
from cutting_proxy import Cut, CuttingProxy


class Server:
    """Says the greeting, then each byte back."""

    def __init__(self, greeting=b""):
        self.greeting = greeting
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.received = []
        self.ends = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        got = bytearray()
        self.received.append(got)
        with client:
            try:
                client.sendall(self.greeting)
                while piece := client.recv(4096):
                    got += piece
                    client.sendall(piece)
                self.ends.append("fin")
            except ConnectionError:
                self.ends.append("rst")

    def close(self):
        try:
            # Closing alone leaves the thread in accept(), and the port with it.
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def record(payload):
    return struct.pack(">BHH", 23, 0x303, len(payload)) + payload


def read_all(client):
    """What comes, and how it ends."""
    got = b""
    try:
        while piece := client.recv(4096):
            got += piece
        return got, "fin"
    except ConnectionResetError:
        return got, "rst"


class TheProxy(unittest.TestCase):
    def start(self, plan=None, greeting=b""):
        self.server = Server(greeting)
        self.addCleanup(self.server.close)
        proxy = CuttingProxy(self.server.address, plan)
        self.addCleanup(proxy.close)
        return proxy

    def client(self, proxy):
        client = socket.create_connection(proxy.address, timeout=30)
        self.addCleanup(client.close)
        return client

    def talk(self, proxy, data):
        client = self.client(proxy)
        resets = []

        def send():
            try:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
            except OSError as error:
                # A socket tells of a reset once: here, or where it is read.
                resets.append(error)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        got, end = read_all(client)
        sender.join()
        return got, "rst" if resets else end

    def test_what_is_not_cut_passes_whole_and_is_counted(self):
        proxy = self.start()
        data = bytes(range(256)) * 4096
        self.assertEqual(self.talk(proxy, data), (data, "fin"))
        self.assertEqual((proxy.bytes("up"), proxy.bytes("down")), (len(data), len(data)))
        self.assertEqual((len(proxy.connections), proxy.cuts()), (1, 0))

    def test_a_cut_lets_exactly_the_bytes_before_it_pass(self):
        data = bytes(range(256)) * 1024
        for at in (0, 1, 255, 4096, 70000, len(data) - 1):
            for how in (cutting_proxy.RST, cutting_proxy.FIN):
                with self.subTest(at=at, how=how):
                    proxy = self.start(lambda number: Cut("down", after=at, how=how) if number == 0 else None)
                    got, end = self.talk(proxy, data)
                    # A reset may overtake what was on its way.
                    self.assertEqual(got, data[:len(got)])
                    if how == cutting_proxy.FIN:
                        self.assertEqual((len(got), end), (at, "fin"))
                    else:
                        self.assertEqual(end, "rst")
                    self.assertEqual(proxy.bytes("down"), at)
                    self.assertEqual(proxy.connections[0].cut, Cut("down", after=at, how=how))
                    self.assertEqual(self.talk(proxy, data), (data, "fin"), "the next one")

    def test_a_cut_on_the_way_up_is_seen_by_both_ends(self):
        proxy = self.start(lambda number: Cut("up", after=5))
        self.assertEqual(self.talk(proxy, b"0123456789")[1], "rst")
        self.assertEqual(proxy.bytes("up"), 5)
        self.assertEqual(proxy.cuts(), 1)

    def test_a_cut_behind_the_last_byte_does_not_happen(self):
        proxy = self.start(lambda number: Cut("down", after=10))
        self.assertEqual(self.talk(proxy, b"0123456789"), (b"0123456789", "fin"))
        self.assertEqual(proxy.cuts(), 0)

    def test_records_are_counted_whatever_pieces_they_come_in(self):
        whole = record(b"first") + record(b"") + record(b"x" * 300) + record(b"last")
        for size in range(1, len(whole) + 1):
            meter = cutting_proxy.Meter()
            for at in range(0, len(whole), size):
                meter.take(whole[at:at + size])
            self.assertEqual((meter.records, meter.bytes), (4, len(whole)), size)

    def test_a_cut_between_records_and_within_one(self):
        first, second, third = record(b"first"), record(b"second"), record(b"third")
        for records, after, passes in ((0, 0, b""), (1, 0, first), (2, 0, first + second), (1, 3, first + second[:3])):
            with self.subTest(records=records, after=after):
                proxy = self.start(lambda number: Cut("down", records, after, cutting_proxy.FIN))
                self.assertEqual(self.talk(proxy, first + second + third), (passes, "fin"))

    def test_a_reply_is_lost_and_its_request_is_not(self):
        proxy = self.start(lambda number: Cut("down", asked=2))
        client = self.client(proxy)
        client.sendall(record(b"first"))
        self.assertEqual(client.recv(100), record(b"first"))
        client.sendall(record(b"second"))
        self.assertEqual(read_all(client), (b"", "rst"))
        self.assertEqual(bytes(self.server.received[0]), record(b"first") + record(b"second"))

    def test_an_outage_that_refuses(self):
        proxy = self.start(greeting=b"hello")
        before = self.client(proxy)
        self.assertEqual(before.recv(5), b"hello")
        proxy.out(cutting_proxy.REFUSE)
        self.assertEqual(read_all(before), (b"", "rst"))
        for _ in range(3):
            with self.assertRaises(ConnectionRefusedError):
                self.client(proxy)
        proxy.back()
        self.assertEqual(self.talk(proxy, b"again"), (b"helloagain", "fin"))

    def test_an_outage_in_which_nothing_moves(self):
        proxy = self.start(lambda number: Cut("down", after=3, how=cutting_proxy.SILENT) if number == 0 else None)
        client = self.client(proxy)
        client.sendall(b"0123456789")
        self.assertEqual(client.recv(100), b"012")
        other = self.client(proxy)
        other.sendall(b"held")
        for silent in (client, other):
            silent.setblocking(False)
            with self.assertRaises(BlockingIOError) as caught:
                silent.recv(1)
            self.assertEqual(caught.exception.errno, errno.EAGAIN)
            silent.settimeout(30)
        self.assertTrue(proxy.is_out())
        proxy.back()
        self.assertEqual(client.recv(100), b"3456789")
        self.assertEqual(other.recv(100), b"held")
        self.assertEqual((proxy.is_out(), proxy.outages), (False, 1))

    def test_an_outage_ends_by_itself(self):
        proxy = self.start(lambda number: Cut("up", how=cutting_proxy.SILENT, seconds=0.01) if number == 0 else None)
        self.assertEqual(self.talk(proxy, b"held"), (b"held", "fin"))
        self.assertEqual(proxy.cuts(), 1)

    def pause(self, held):
        """Two clients, both past a handshake of one record, and a pause at the second request of both together."""
        proxy = self.start()
        first, second = self.client(proxy), self.client(proxy)
        proxy.pause = cutting_proxy.Pause(1, held, handshake=1)
        # A handshake's end and a request in one piece, too.
        for client, sent in ((second, record(b"h")), (first, record(b"h") + record(b"one"))):
            client.sendall(sent)
            got = b""
            while len(got) < len(sent):
                got += client.recv(100)
            self.assertEqual(got, sent)
        # In pieces: it is one request.
        second.sendall(record(b"two")[:7])
        self.await_(lambda: proxy.is_out() or not held)
        second.sendall(record(b"two")[7:])
        self.await_(proxy.is_out)
        return proxy, second

    def await_(self, what):
        for _ in range(3000):
            if what():
                return
            threading.Event().wait(0.01)
        self.fail("it did not come")

    def test_a_pause_holds_a_request(self):
        proxy, client = self.pause(held=True)
        self.assertEqual(sum(map(len, self.server.received)), len(record(b"h")) * 2 + len(record(b"one")))
        proxy.pause = None
        proxy.back()
        got = b""
        while len(got) < len(record(b"two")):
            got += client.recv(100)
        self.assertEqual(got, record(b"two"))

    def test_a_pause_holds_a_reply(self):
        proxy, client = self.pause(held=False)
        client.settimeout(0.1)
        self.assertRaises(TimeoutError, client.recv, 1)
        client.settimeout(30)
        self.await_(lambda: any(record(b"two")[:7] in got for got in self.server.received))
        proxy.pause = None
        proxy.back()
        self.assertEqual(client.recv(7), record(b"two")[:7])

    def test_a_server_that_is_not_there(self):
        self.start()
        self.server.close()
        nobody = CuttingProxy(self.server.address)
        self.addCleanup(nobody.close)
        self.assertEqual(self.talk(nobody, b"x")[1], "rst")

    def test_the_same_seed_makes_the_same_cuts(self):
        def schedule(seed):
            return [cutting_proxy.random_cuts(seed, most=1000, share=0.7)(number) for number in range(100)]

        self.assertEqual(schedule(1), schedule(1))
        self.assertNotEqual(schedule(1), schedule(2))
        self.assertTrue(50 < sum(one is not None for one in schedule(1)) < 90)


if __name__ == "__main__":
    unittest.main()
