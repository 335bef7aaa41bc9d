from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class BoardConfig(AppConfig):
    """Finds what is to be shown: every app may keep a module `board` that registers its own."""

    name = "nodepoint.board"
    label = "board"
    verbose_name = "Operations"

    def ready(self) -> None:
        """Register what concerns no app, then import `board` of all apps."""
        from nodepoint import metrics as all_metrics
        from nodepoint.api import serving
        from nodepoint.board import again, calls, pictures, platform, remote, tasks, unasked  # noqa: F401 - they register
        from nodepoint.board.metrics import BoardCollector
        from nodepoint.jobs import runner

        all_metrics.register(BoardCollector())
        again.register()
        all_metrics.register(remote.RemoteCollector())
        all_metrics.register(unasked.UnaskedCollector())
        serving.begun.connect(calls.on_begun)
        for process in (serving.begun, runner.begun):
            process.connect(remote.on_begun)
        autodiscover_modules("board")
