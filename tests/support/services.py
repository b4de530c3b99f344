"""A Slurm and a Ray of the tests' own, on this machine's loopback, which end with the tests."""

import getpass
import os
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import lightning as L

PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge"]

SLURM_CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={d_port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
PluginDir={plugins}
PlugStackConfig={folder}/plugstack.conf
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


SHORT_ERRORS = {"HYDRA_FULL_ERROR": "0"}
"""Other tests, in this process, leave it at 1."""


class MissingServiceError(RuntimeError):
    """The service cannot be had here; the tests that need it are skipped."""


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: it does not come true.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


def free_port() -> str:
    """Return a port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def serving(command: list[str], log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own until the context is left."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | variables, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def debian(cache: Path) -> Path:
    """Return a folder with Debian's Slurm in it: downloaded once, installed nowhere."""
    tree = cache / "tree"
    if tree.is_dir():
        return tree
    if not shutil.which("apt-get") or platform.system() != "Linux":
        raise MissingServiceError("Slurm comes from Debian's packages; there is no apt-get here")
    shutil.rmtree(cache, ignore_errors=True)
    for folder in ("lists/partial", "cache/archives/partial", "unpacked"):
        (cache / folder).mkdir(parents=True)
    own = [f"Dir::State::Lists={cache}/lists", f"Dir::Cache={cache}/cache", "APT::Sandbox::User="]
    options = [word for setting in (*own, "Debug::NoLocking=1") for word in ("-o", setting)]
    wanted = ["--no-install-recommends", "--download-only", "--yes", *PACKAGES]
    try:
        for order in (["update"], ["install", *wanted]):
            subprocess.run(["apt-get", "-qq", *options, *order], check=True, capture_output=True)
        for package in (cache / "cache" / "archives").glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, cache / "unpacked"], check=True)
    except subprocess.CalledProcessError as error:
        raise MissingServiceError(f"apt-get cannot get Slurm: {(error.stderr or b'').decode()}") from error
    shutil.rmtree(cache / "lists")
    shutil.rmtree(cache / "cache")
    return (cache / "unpacked").rename(tree)


class Slurm(NamedTuple):
    """A running Slurm.

    Args:
        variables: of the environment in which its commands work.
    """

    folder: Path
    variables: dict[str, str]

    def ask(self, *command: str) -> str:
        """Return what one of its commands prints, "" if it fails."""
        answer = subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | self.variables
        )
        return answer.stdout if answer.returncode == 0 else ""


@contextmanager
def slurm(tree: Path, folder: Path) -> Iterator[Slurm]:
    """Run Slurm, one node with two processors, out of ``tree``; without accounting, as on small clusters."""
    (plugins,) = (tree / "usr" / "lib").glob("*/slurm*")
    libraries = {"LD_LIBRARY_PATH": f"{plugins}:{plugins.parent}"}
    service = Slurm(folder, prepare(tree, folder, plugins) | libraries | SHORT_ERRORS)
    programs = {name: str(next((tree / "usr" / "sbin").glob(f"{name}*"))) for name in ("slurmctld", "slurmd")}
    stepd = str(next((tree / "usr" / "sbin").glob("slurmstepd*")))
    commands = [
        [str(tree / "usr" / "sbin" / "munged"), "--foreground", *munge_options(folder)],
        [programs["slurmctld"], "-D", "-i", "-f", f"{folder}/slurm.conf"],
        [programs["slurmd"], "-D", "-f", f"{folder}/slurm.conf", "-d", stepd],
    ]
    ready = [
        (folder / "munge.socket").exists,
        lambda: bool(service.ask("scontrol", "ping")),
        lambda: "idle" in service.ask("sinfo", "--noheader", "--format=%T"),
    ]
    with ExitStack() as running:
        for command, answers in zip(commands, ready, strict=True):
            running.enter_context(serving(command, folder / "services.log", **service.variables))
            until(answers, " ".join(command))
        yield service
        service.ask("scancel", "--user", str(os.getuid()))


def prepare(tree: Path, folder: Path, plugins: Path) -> dict[str, str]:
    """Write what Slurm needs into the folder; return the variables by which its commands find it."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "plugstack.conf").touch()
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    (folder / "munge.key").chmod(0o600)
    settings = {
        "host": socket.gethostname().partition(".")[0],
        "user": getpass.getuser(),
        "folder": folder,
        "plugins": plugins,
        "ctld_port": free_port(),
        "d_port": free_port(),
    }
    (folder / "slurm.conf").write_text(SLURM_CONF.format(**settings))
    return {
        "SLURM_CONF": f"{folder}/slurm.conf",
        "PATH": f"{tree / 'usr' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def munge_options(folder: Path) -> list[str]:
    """Return where munged is to put what it writes; it is not to mind that the folder is a temporary one."""
    files = {"key-file": "key", "pid-file": "pid", "seed-file": "seed", "log-file": "log", "socket": "socket"}
    return ["--force", *(f"--{option}={folder}/munge.{suffix}" for option, suffix in files.items())]


class Witness(L.Callback):
    """Leaves a file named after the node of Ray that the run is on."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        from ray.util import get_node_ip_address  # noqa: PLC0415 - only the tests of Ray have it

        (self.folder / get_node_ip_address()).touch()


@contextmanager
def ray_folder() -> Iterator[dict[str, str]]:
    """Return variables for a Ray that writes into a folder of its own; sockets want a short path."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        yield {"RAY_TMPDIR": folder, "RAY_AUTH_TOKEN": secrets.token_hex(32)} | SHORT_ERRORS


@contextmanager
def ray_nodes(log: Path, **variables: str) -> Iterator[str]:
    """Run a Ray of two nodes with a processor each; return its address."""
    ray, address = str(Path(sys.executable).with_name("ray")), f"127.0.0.1:{free_port()}"
    node = [ray, "start", "--block", "--num-cpus=1", "--disable-usage-stats"]
    head = ["--head", f"--port={address.partition(':')[2]}", "--include-dashboard=false"]
    status = [ray, "status", f"--address={address}"]

    def joined(count: int) -> bool:
        answer = subprocess.run(
            status, capture_output=True, text=True, check=False, env=os.environ | variables
        )
        return answer.stdout.count("node_") >= count

    with ExitStack() as running:
        for number, options in enumerate((head, [f"--address={address}"]), start=1):
            command = [*node, f"--node-ip-address=127.0.0.{number}", *options]
            running.enter_context(serving(command, log, **variables))
            until(lambda count=number: joined(count), " ".join(command))  # type: ignore[misc]
        yield address
