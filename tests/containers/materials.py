"""What containers are made of, all of it from Debian's packages: a plain template, a WordPress archive.

They come from the mirror of the machine's own apt, where that is Debian's; else mmdebstrap knows one."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.containers.mirror import apt_setting

SUITE = "trixie"
# Whom this machine trusts: the way to Python's packages may be its own.
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# Beside what every container needs: a shell to log in by, as Proxmox VE's own templates have it.
PACKAGES = "systemd-sysv,dbus,iproute2,iputils-ping,procps,ca-certificates,netbase,openssh-server"
MACHINE = "systemd-sysv,dbus,iproute2,procps,ca-certificates,netbase"
# Debian keeps parts of WordPress in packages of their own.
WORDPRESS = (
    "wordpress",
    "wordpress-theme-twentytwentyfive",
    "php-getid3",
    "libjs-cropper",
    "libjs-lodash",
    "libjs-underscore",
)
# Of the machine's apt: a mirror may be older than it should be, and reached in a way of its own.
DATES = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")
WAY = ("Acquire::http::Proxy",)


def make(folder: Path, proxy: str) -> tuple[Path, Path]:
    """`template.tar`, a Debian 13 without anything of a web server, and `files/wordpress.tar.gz` with its
    .sha1 beside it; made unless they are there. `proxy`: URL for the apt inside.
    """
    template, archive = folder / "template.tar", folder / "files" / "wordpress.tar.gz"
    if not (template.exists() and archive.exists()):
        archive.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="nodepoint-materials-") as name:
            work = Path(name)
            _bootstrap(work, proxy)
            _pack(work, archive)
            shutil.move(work / "template.tar", template)
    return template, archive


def machine(folder: Path, suite: str, proxy: str) -> Path:
    """`machine-SUITE.tar`: a Debian as it is right after its installation; made unless it is there."""
    image = folder / f"machine-{suite}.tar"
    if not image.exists():
        with tempfile.TemporaryDirectory(prefix="nodepoint-materials-") as name:
            made = Path(name, "machine.tar")
            _debian(Path(name), made, suite, MACHINE, proxy)
            shutil.move(made, image)
    return image


def image(folder: Path, proxy: str) -> Path:
    """`image.tar`: what images are built from, whose apt and pip go by `proxy`; made unless it is there."""
    made = folder / "image.tar"
    if not made.exists():
        with tempfile.TemporaryDirectory(prefix="nodepoint-materials-") as name:
            work = Path(name)
            work.joinpath("pip.conf").write_text(f"[global]\nproxy = {proxy}\ncert = /etc/authorities.pem\n")
            shutil.copyfile(AUTHORITIES, work / "authorities.pem")
            hook = f"copy-in {work}/pip.conf {work}/authorities.pem /etc"
            _debian(work, work / "image.tar", SUITE, "ca-certificates", proxy, (hook,))
            shutil.move(work / "image.tar", made)
    return made


def _bootstrap(work: Path, proxy: str) -> None:
    """A root file system as `template.tar`, and WordPress's packages in `wordpress/`."""
    download = f"apt-get -qq -oAPT::Sandbox::User=root download {' '.join(WORDPRESS)}"
    fetch = f"mkdir /tmp/wordpress && cd /tmp/wordpress && {download}"
    hooks = (
        f"chroot \"$1\" sh -c '{fetch}'",
        f"copy-out /tmp/wordpress {work}",
        'rm -r "$1/tmp/wordpress"',
    )
    _debian(work, work / "template.tar", SUITE, PACKAGES, proxy, hooks)


def _debian(
    work: Path, target: Path, suite: str, packages: str, proxy: str, hooks: tuple[str, ...] = ()
) -> None:
    """A root file system whose apt goes by `proxy`; `hooks`: what else is done in it."""
    inside = [*_settings(DATES), f'Acquire::http::Proxy "{proxy}"']
    work.joinpath("zz-mirror").write_text("".join(f"{line};\n" for line in inside))
    last = (*hooks, f"copy-in {work}/zz-mirror /etc/apt/apt.conf.d")
    _run(
        *("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={packages}"),
        *(f"--aptopt={line}" for line in _settings(DATES + WAY)),
        *(f"--customize-hook={hook}" for hook in last),
        *(suite, str(target), *_mirror()),
    )


def _settings(names: tuple[str, ...]) -> list[str]:
    return [f'{name} "{value}"' for name in names if (value := apt_setting(name))]


def _mirror() -> list[str]:
    filters = ("Created-By: Packages", "Origin: Debian", "Label: Debian")
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", *filters]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return [uri for uri in found if uri.startswith("http://")][:1]  # the containers' way out knows no TLS


def _pack(work: Path, archive: Path) -> None:
    """As wordpress.org packs it: everything in a folder `wordpress`."""
    for package in work.joinpath("wordpress").glob("*.deb"):
        _run("dpkg-deb", "-x", str(package), str(work / "root"))
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        tar.add(_gathered(work / "root"), "wordpress")
    digest = hashlib.sha1(archive.read_bytes(), usedforsecurity=False).hexdigest()
    archive.with_name(f"{archive.name}.sha1").write_text(digest)


def _gathered(root: Path) -> Path:
    """WordPress in one folder: what Debian keeps elsewhere is put where WordPress has it itself."""
    place = root / "usr/share/wordpress"
    for own in ("wp-config.php", ".htaccess"):  # Debian's way of configuring it
        place.joinpath(own).unlink()
    for link in [path for path in place.rglob("*") if path.is_symlink()]:
        target = Path(os.readlink(link))
        target = root / target.relative_to("/") if target.is_absolute() else link.parent / target
        link.unlink()
        if target.is_dir():
            shutil.copytree(target, link)
        elif target.is_file():
            shutil.copyfile(target, link)
        else:  # a file that another package makes when it is installed
            link.write_text("")
    return place


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
