from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from .models import Question


def make_question(text, choices, days=-1):
    question = Question.objects.create(text=text, published=timezone.now() + timedelta(days=days))
    for choice in choices:
        question.choice_set.create(text=choice)
    return question


class Database(TestCase):
    def test_it_is_postgresql(self):
        self.assertEqual(connection.vendor, "postgresql")
        self.assertGreaterEqual(connection.pg_version, 150000)

    def test_a_choice_stands_once_per_question(self):
        question = make_question("Tea?", ["yes"])
        with self.assertRaises(IntegrityError), transaction.atomic():
            question.choice_set.create(text="yes")


class Index(TestCase):
    def test_without_polls(self):
        self.assertContains(self.client.get(reverse("polls:index")), "No polls yet.")

    def test_newest_first_and_only_what_is_published_and_has_choices(self):
        make_question("old", ["a", "b"], days=-9)
        make_question("new", ["a"], days=-1)
        make_question("future", ["a"], days=1)
        make_question("empty", [])
        response = self.client.get(reverse("polls:index"))
        self.assertEqual([question.text for question in response.context["questions"]], ["new", "old"])


class Vote(TestCase):
    def test_a_vote_counts(self):
        question = make_question("Tea?", ["yes", "no"])
        choice = question.choice_set.get(text="yes")
        for _ in range(2):
            response = self.client.post(reverse("polls:vote", args=[question.pk]), {"choice": choice.pk})
            self.assertRedirects(response, reverse("polls:detail", args=[question.pk]))
        choice.refresh_from_db()
        self.assertEqual(choice.votes, 2)

    def test_a_choice_of_another_question_does_not(self):
        question = make_question("Tea?", ["yes"])
        other = make_question("Milk?", ["no"]).choice_set.get()
        for choice in (other.pk, "", "x"):
            response = self.client.post(reverse("polls:vote", args=[question.pk]), {"choice": choice})
            self.assertEqual(response.status_code, 404)
        other.refresh_from_db()
        self.assertEqual(other.votes, 0)

    def test_voting_needs_a_post(self):
        question = make_question("Tea?", ["yes"])
        self.assertEqual(self.client.get(reverse("polls:vote", args=[question.pk])).status_code, 405)
