import unittest

import greetings


class Hello(unittest.TestCase):
    def test_word(self):
        self.assertEqual(greetings.WORD, "hello")
