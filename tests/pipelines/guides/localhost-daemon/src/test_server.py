import unittest


class Server(unittest.TestCase):
    def test_nothing(self):
        pass
