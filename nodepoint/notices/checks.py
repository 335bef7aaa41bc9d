"""System checks: texts of e-mails that an operator has put before ours, and that cannot be used. Warnings: an
e-mail waits until its text is mended, and nothing else does."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from nodepoint.notices import letters
from nodepoint.notices.letters import Unreadable
from nodepoint.notices.models import Language, Preferences


@register("nodepoint")
def own_texts(**_: Any) -> list[CheckMessage]:
    """Without a folder of their own nothing is looked at."""
    folder = settings.NODEPOINT_DATA / "templates" / "mails"
    if not folder.is_dir():
        return []
    names = {mail.template for mail in letters.mails()} | {"layout"}
    files = sorted(path.name for path in folder.iterdir() if path.suffix in (".txt", ".html"))
    lost = [name for name in files if name.rpartition(".")[0] not in names]
    return [
        *(
            _named(f"{folder / name}: no e-mail is called so. Names: {', '.join(sorted(names))}.")
            for name in lost
        ),
        *map(_named, dict.fromkeys(_faults())),
    ]


def _faults() -> Iterator[str]:
    for mail in letters.mails():
        for language in Language.values:
            try:
                letters.render(mail.template, mail.sample, language, Preferences())
            except Unreadable as error:
                yield str(error)


def _named(sentence: str) -> CheckMessage:
    return Warning(" ".join(sentence.split()), id="nodepoint.W020")
