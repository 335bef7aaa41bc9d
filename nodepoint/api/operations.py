"""Views for operators and their tools: who a token is, and how far a job is."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from nodepoint.api import jobs
from nodepoint.api.errors import Missing
from nodepoint.api.views import ApiView, success
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.jobs.models import Job


class WhoamiOutput(serializers.Serializer):
    """Whose token it is."""

    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)


class JobStepOutput(serializers.Serializer):
    """A step of a job."""

    name = serializers.CharField()
    title = serializers.CharField()
    state = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    error = serializers.CharField(allow_null=True)


class JobOutput(serializers.Serializer):
    """How far a piece of work is."""

    id = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=Job.State.choices)
    percent = serializers.IntegerField(min_value=0, max_value=100)
    step = serializers.CharField()
    eta_seconds = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True)


class JobDetails(JobOutput):
    """A job with its steps."""

    steps = JobStepOutput(many=True)


class JobDetailsOutput(serializers.Serializer):
    """One job."""

    job = JobDetails()


class WhoamiView(ApiView):
    """Whose token this is, for a connection test."""

    scope = None
    output = WhoamiOutput

    def get(self, request: Request) -> Response:
        """`name, scopes, expires_at`."""
        token = request.auth
        return success(name=token.name, scopes=token.scopes, expires_at=token.ends_at)


class JobView(ApiView):
    """How far a job is, with its steps; readable with the scope of its kind."""

    scope = None  # which one is needed depends on the job
    output = JobDetailsOutput

    def get(self, request: Request, job_id: str) -> Response:
        """`job`; 404 for a job of another scope, as if there were none."""
        job = Job.objects.prefetch_related("steps").filter(pk=job_id).first()
        if job is None or _scope(job) not in request.auth.scopes:
            raise Missing("There is no such job.")
        steps = list(job.steps.all())
        return success(job={**jobs.render(job, steps), "steps": [jobs.render_step(step) for step in steps]})


def _scope(job: Job) -> str:
    try:
        return job.flow.scope
    except UnknownFlow:
        return ""
