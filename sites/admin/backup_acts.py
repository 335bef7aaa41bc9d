"""What staff can do with what a site holds: backups, and content from elsewhere."""

from nodepoint.staff.acts import Act
from sites import services
from sites.admin import carry_out, forms, sentences
from sites.admin.carry_out import FOLLOWS

BACKUPS = "Backups"

BACKUP_ACTS = (
    Act(
        "back_up",
        "Back up",
        "Make a backup?",
        sentences.back_up,
        f"It is being made. {FOLLOWS}",
        carry_out.standing(services.create_backup),
        "sites.back_up_site",
        icon="backup",
        group=BACKUPS,
    ),
    Act(
        "roll_back",
        "Roll back",
        "Go back to a backup?",
        sentences.roll_back,
        f"It is being rolled back. {FOLLOWS}",
        carry_out.standing(
            lambda service_id, *, backup, **given: services.roll_back(service_id, backup, **given)
        ),
        "sites.roll_back_site",
        icon="history",
        group=BACKUPS,
        form=forms.RollbackForm,
        dangerous=True,
    ),
    Act(
        "delete_backup",
        "Delete a backup",
        "Delete a backup?",
        "The snapshot is gone for good, and its place in the quota is free.",
        f"It is being deleted. {FOLLOWS}",
        carry_out.standing(
            lambda service_id, *, backup, actor: services.delete_backup(service_id, backup, actor=actor)
        ),
        "sites.roll_back_site",
        icon="delete",
        group=BACKUPS,
        form=forms.BackupForm,
        dangerous=True,
    ),
    Act(
        "archive",
        "Archive",
        "Make an archive?",
        sentences.archive,
        f"It is being made. {FOLLOWS}",
        carry_out.standing(services.create_archive),
        "sites.back_up_site",
        icon="archive",
        group=BACKUPS,
    ),
    Act(
        "restore_archive",
        "Restore an archive",
        "Restore the whole site from an archive?",
        sentences.restore_archive,
        f"It is being restored. {FOLLOWS}",
        carry_out.standing(services.restore_archive),
        "sites.roll_back_site",
        icon="settings_backup_restore",
        group=BACKUPS,
        form=forms.RestoreForm,
        dangerous=True,
    ),
    Act(
        "delete_archive",
        "Delete an archive",
        "Delete an archive?",
        "The archive is gone for good. One that was made in the night is made anew in the next one.",
        f"It is being deleted. {FOLLOWS}",
        carry_out.standing(services.delete_archive),
        "sites.roll_back_site",
        icon="delete",
        group=BACKUPS,
        form=forms.ArchiveForm,
        dangerous=True,
    ),
    Act(
        "import",
        "Import",
        "Replace all content by that of an archive?",
        sentences.import_content,
        f"It is being imported. {FOLLOWS}",
        carry_out.patiently(carry_out.standing(services.import_content)),
        "sites.roll_back_site",
        icon="cloud_download",
        group=BACKUPS,
        form=forms.ImportForm,
        dangerous=True,
    ),
    Act(
        "reset",
        "Reset",
        "Reset this site to its first day?",
        sentences.reset,
        f"It is being reset. {FOLLOWS}",
        carry_out.standing(services.reset),
        "sites.roll_back_site",
        icon="settings_backup_restore",
        group=BACKUPS,
        form=forms.DiscardForm,
        dangerous=True,
    ),
)
