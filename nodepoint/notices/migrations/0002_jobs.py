"""Notices to staff were jobs without a row, of the kind `jobs.notice`."""

from django.db import migrations

BATCH = 500


def rows_for_old_notices(apps, schema_editor):
    """A row for each, and the kind that they go by now."""
    jobs, notices = apps.get_model("jobs", "Job"), apps.get_model("notices", "Notice")
    old = jobs.objects.filter(kind="jobs.notice")
    found = {}
    for job in old.order_by("created_at").iterator(BATCH):
        pk = job.subject.partition(":")[2][:32]
        row = found.setdefault(
            pk,
            notices(
                pk=pk,
                kind="notices.staff",
                says=job.data.get("about", "failed"),
                cause=job.data.get("job", ""),
                created_at=job.created_at,
            ),
        )
        if job.state == "succeeded":
            row.sent_at = job.finished_at
    for row in found.values():
        row.about = jobs.objects.filter(pk=row.cause).values_list("subject", flat=True).first() or ""
    notices.objects.bulk_create(found.values(), BATCH)
    old.update(kind="notices.staff")


class Migration(migrations.Migration):
    dependencies = [("notices", "0001_initial"), ("jobs", "0004_callers_fault")]
    operations = [migrations.RunPython(rows_for_old_notices, migrations.RunPython.noop)]
