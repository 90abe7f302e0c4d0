"""May this process make network namespaces, and what it becomes so that it may."""

import errno
import os

from tcplab.errors import TcplabError, UnavailableError
from tcplab.testbed.netns import Namespace, enter_user_namespace
from tcplab.text import Text


def prepare_process(rootless: bool | None) -> bool:
    """Make sure that this process may make network namespaces; True if it took a user namespace.

    With `rootless` None it takes one only where it must. Raises PrivilegeError or UnavailableError.
    """
    if not rootless:
        try:
            Namespace().close()
        except OSError as refusal:
            if rootless is False or refusal.errno != errno.EPERM:
                raise _explained() from refusal
        else:
            from tcplab.kernel.privilege import in_first_user_namespace

            return os.geteuid() != 0 or not in_first_user_namespace()
    try:
        enter_user_namespace()
    except OSError as refusal:
        raise _explained() from refusal
    return True


def _explained() -> TcplabError:
    """Which switch of this machine forbids namespaces; found out only now that one does."""
    from tcplab.testbed.preflight import facts_of_this_machine, why_no_namespaces

    return why_no_namespaces(facts_of_this_machine())


def not_built(refusal: OSError) -> UnavailableError:
    """Namespaces can be made, but something in them cannot (a module, a capability, a limit)."""
    return UnavailableError(
        Text("The testbed could not be built: {why}.", why=os.strerror(refusal.errno or 0)),
        remedy=Text("See what is missing here: {command}", command="tcplab doctor"),
    )
