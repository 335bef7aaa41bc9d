from django.db import migrations

RECORDS = [  # position, type, name, content: the domain and www lead to the proxy
    (1, "A", "@", "PROXYSRV"),
    (2, "A", "www", "PROXYSRV"),
]


def add(apps, schema_editor):
    TemplateRecord = apps.get_model("dns", "TemplateRecord")
    for position, type, name, content in RECORDS:
        TemplateRecord.objects.get_or_create(type=type, name=name, defaults={"position": position, "content": content})


class Migration(migrations.Migration):
    dependencies = [("dns", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
