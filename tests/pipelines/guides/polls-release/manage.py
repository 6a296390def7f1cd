"""`manage.py test`: the application's tests against the database that the environment names."""
import os
import sys
import unittest

import psycopg2


class Votes(unittest.TestCase):
    def setUp(self):
        self.database = psycopg2.connect(host=os.environ["POLLSAPI_PG_HOST"], dbname=os.environ["POSTGRES_DB"],
                                         user=os.environ["POSTGRES_USER"], password=os.environ["POSTGRES_PASSWORD"])

    def tearDown(self):
        self.database.close()

    def test_votes_are_counted(self):
        with self.database, self.database.cursor() as cursor:
            cursor.execute("CREATE TABLE votes (choice text)")
            cursor.execute("INSERT INTO votes VALUES ('yes'), ('no'), ('yes')")
            cursor.execute("SELECT choice, count(*) FROM votes GROUP BY choice ORDER BY 2 DESC")
            self.assertEqual(cursor.fetchall(), [("yes", 2), ("no", 1)])


if __name__ == "__main__":
    sys.argv.remove("test")
    unittest.main()
