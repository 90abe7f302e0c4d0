"""A SYN flood at the testbed's server, and a client that wants to be served meanwhile."""

from collections.abc import Callable
from contextlib import closing

from tcplab.analysis.flooding.report import FloodLook, FloodReport
from tcplab.analysis.flooding.settings import FloodSettings
from tcplab.experiment.flooding import PORT, Flooding, Heed
from tcplab.scenario.host_settings import HostSettings, Sysctl
from tcplab.scenario.services import Services
from tcplab.testbed.direct import DirectTestbed
from tcplab.testbed.plan import Family


def flood(
    settings: FloodSettings,
    *,
    rootless: bool | None = None,
    heed: Heed = lambda _look: None,
) -> FloodReport:
    """Flood the server of a testbed made for it, and watch for as long as the settings say.

    The forged SYNs come first, all at once, then the client's first try; where their rate is
    limited, both begin together. `heed` hears of every look, ten a second. Ctrl-C ends it: the
    report is of what was until then, and says that it is partial.

    Enters a user namespace if this process may not make network namespaces without (`rootless`
    None), which cannot be undone. Raises PrivilegeError or UnavailableError where this machine
    cannot do it.
    """
    testbed = DirectTestbed(
        family=Family(settings.version),
        services=Services(open=(PORT,)),
        rootless=rootless,
        others=("client", "attacker"),
        settings=hosts(settings),
        backlogs={PORT: settings.backlog},
        spoofer="attacker",
    )
    with closing(testbed), closing(Flooding(testbed, settings, heed)) as run:
        return run.play()


def compare(
    settings: FloodSettings,
    *,
    rootless: bool | None = None,
    heed: Callable[[FloodSettings, FloodLook], None] = lambda _settings, _look: None,
) -> tuple[FloodReport, ...]:
    """The same flood against each of the defences (`FloodSettings.defences`), one after another.

    After Ctrl-C there are the reports up to then, the last of which may be partial; at first there
    may be none. Otherwise as `flood`.
    """
    reports: list[FloodReport] = []
    try:
        for each in settings.defences():

            def heed_one(look: FloodLook, each: FloodSettings = each) -> None:
                heed(each, look)

            report = flood(each, rootless=rootless, heed=heed_one)
            reports.append(report)
            if report.partial:
                break
            if report.rootless:
                rootless = None  # this process has its user namespace by now
    except KeyboardInterrupt:  # between two floods
        pass
    return tuple(reports)


def hosts(settings: FloodSettings) -> tuple[HostSettings, ...]:
    """How the server and the client are set up for this flood."""

    def sysctl(name: str, value: int) -> Sysctl:
        return Sysctl(name=name, value=str(value))

    return (
        HostSettings(
            name="server",
            sysctls=(
                sysctl("net.ipv4.tcp_syncookies", settings.cookies.sysctl),
                sysctl("net.ipv4.tcp_max_syn_backlog", settings.max_syn_backlog),
                sysctl("net.ipv4.tcp_synack_retries", 5),
                sysctl("net.core.somaxconn", max(settings.backlog, 4096)),
            ),
        ),
        HostSettings(
            name="client", sysctls=(sysctl("net.ipv4.tcp_timestamps", int(settings.timestamps)),)
        ),
    )
