from django.db import migrations

PLANS = [  # name, memory MB, disk GB, cores, backups, domains, high availability
    ("basic", 2048, 20, 2, 2, 3, False),
    ("standard", 4096, 40, 2, 3, 5, False),
    ("premium", 8192, 80, 4, 5, 10, True),
]


def add(apps, schema_editor):
    Plan = apps.get_model("sites", "Plan")
    for name, memory_mb, disk_gb, cores, backups, domains, high_availability in PLANS:
        Plan.objects.get_or_create(
            name=name,
            defaults={
                "memory_mb": memory_mb,
                "disk_gb": disk_gb,
                "cores": cores,
                "backups": backups,
                "domains": domains,
                "high_availability": high_availability,
            },
        )
    apps.get_model("sites", "ReservationLock").objects.get_or_create(pk=1)
    apps.get_model("sites", "ClusterReading").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("sites", "0001_initial")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
