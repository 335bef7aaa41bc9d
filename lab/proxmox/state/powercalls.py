"""What the API's power calls do: past the HA manager, or through it."""

from lab.proxmox.errors import BadParameter, failure
from lab.proxmox.state.ha import HighAvailability
from lab.proxmox.state.model import Container
from lab.proxmox.state.power import PATIENCE, Power


class PowerCalls:
    """Each returns the UPID of its task: for an HA resource one that ends as soon as the wish is noted."""

    def __init__(self, power: Power, ha: HighAvailability) -> None:
        self._power, self._ha = power, ha

    def start(self, container: Container, user: str, now: float) -> str:
        """POST status/start: ``vzstart``, or ``hastart``."""
        if container.running:
            raise failure(f"CT {container.vmid} already running")
        if self._ha.commands(container.vmid):
            return self._ha.fork_start(container, user, now)
        return self._power.fork_start(container, user, now)

    def stop(self, container: Container, user: str, now: float, *, overrule: bool) -> str:
        """POST status/stop: kill it; ``vzstop``, or ``hastop``."""
        if not container.running:
            raise failure(f"CT {container.vmid} not running")
        if not self._ha.commands(container.vmid):
            return self._power.fork_stop(container, user, now, overrule=overrule)
        if overrule:
            raise BadParameter({"overrule-shutdown": "Not applicable for HA resources."})
        return self._ha.fork_stop(container, user, now, timeout=0)

    def shutdown(
        self, container: Container, user: str, now: float, *, timeout: float = PATIENCE, kill: bool = False
    ) -> str:
        """POST status/shutdown: ``vzshutdown``, or ``hastop``, which knows no ``forceStop``."""
        if not container.running:
            raise failure(f"CT {container.vmid} not running")
        if self._ha.commands(container.vmid):
            return self._ha.fork_stop(container, user, now, timeout=int(timeout))
        return self._power.fork_shutdown(container, user, now, timeout=timeout, kill=kill)

    def reboot(self, container: Container, user: str, now: float) -> str:
        """POST status/reboot; goes past the HA manager."""
        if not container.running:
            raise failure(f"VM {container.vmid} not running")
        return self._power.fork_reboot(container, user, now)
