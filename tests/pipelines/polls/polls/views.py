from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from .models import Choice, Question

# TODO: page the list once there are more polls than fit on a screen


def index(request):
    return render(request, "polls/index.html", {"questions": Question.visible()})


def detail(request, question_id):
    question = get_object_or_404(Question.visible(), pk=question_id)
    return render(request, "polls/detail.html", {"question": question})


@require_POST
def vote(request, question_id):
    question = get_object_or_404(Question.visible(), pk=question_id)
    try:
        choice = question.choice_set.get(pk=request.POST["choice"])
    except (KeyError, ValueError, Choice.DoesNotExist):
        raise Http404("no such choice")
    choice.vote()
    return redirect("polls:detail", question_id=question.pk)
