from django.db import models
from django.db.models import F
from django.utils import timezone


class Question(models.Model):
    text = models.CharField(max_length=200)
    published = models.DateTimeField()

    @classmethod
    def visible(cls):
        """Published by now and with something to choose from, newest first."""
        now = timezone.now()
        return cls.objects.filter(published__lte=now, choice__isnull=False).distinct().order_by("-published")


class Choice(models.Model):
    question = models.ForeignKey(Question, on_delete=models.CASCADE)
    text = models.CharField(max_length=200)
    votes = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "text"], name="one_choice_per_text")]

    def vote(self):
        """Counts in the database, so that no vote of another visitor is lost."""
        type(self).objects.filter(pk=self.pk).update(votes=F("votes") + 1)
