"""What this release says of an environment, without a process for each."""

import importlib.util
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from unittest import mock

import paramiko
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured

import nodepoint.settings
from nodepoint import env

Check = Callable[[], list[CheckMessage]]


def read(base: Path, environment: Mapping[str, str]) -> ModuleType:
    """The settings as a process with this environment, and the `.env` in `base`, reads them;
    ImproperlyConfigured."""
    spec = importlib.util.spec_from_file_location("settings_read_again", nodepoint.settings.__file__)
    module = importlib.util.module_from_spec(spec)
    load_files = env.load_files
    with (
        mock.patch.dict(os.environ, {"NODEPOINT_DATA": str(base / "var"), **environment}, clear=True),
        mock.patch.object(env, "load_files", lambda _: load_files(base)),
        mock.patch("structlog.configure"),
    ):
        spec.loader.exec_module(module)
    return module


def faults(base: Path, environment: Mapping[str, str], *checks: Check) -> list[str]:
    """What stops every command, else what `checks` say of these settings."""
    try:
        module = read(base, environment)
    except ImproperlyConfigured as error:
        return [str(error)]
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        for check in checks:
            stack.enter_context(mock.patch.dict(check.__globals__, settings=module))
        return [message.msg for check in checks for message in check()]


def ssh_files(folder: Path) -> dict[str, str]:
    """Settings of a key and a known_hosts file made in `folder`; beside them `public`, which is no private
    key, and `locked`, which has a passphrase."""
    key = paramiko.ECDSAKey.generate()
    key.write_private_key_file(str(folder / "key"))
    key.write_private_key_file(str(folder / "locked"), password="x")
    line = f"{key.get_name()} {key.get_base64()}\n"
    (folder / "public").write_text(line)
    (folder / "known_hosts").write_text(f"192.168.1.10,192.168.1.11 {line}")
    return {"SSH_KEY_FILE": str(folder / "key"), "SSH_KNOWN_HOSTS": str(folder / "known_hosts")}
