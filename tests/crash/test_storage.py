"""A disk that is full, read-only or broken, and a system without room for a process: it is said, and nothing is forgotten.

The call that fails is any of those that can. The command ends with a message and one of its exit codes, whatever it
began is in the journal or in the supervisor's log, and once the trouble is over the run is taken over to a good end.
"""

import errno

import pytest

from tests.crash.fork_server import ForkServer, sample
from tests.crash.points import TROUBLES, troubles
from tests.crash.test_kills import check

EACH = 4


def name(trouble: tuple[str, str, int, int]) -> str:
    role, mode, error, kinds = trouble
    return f"{errno.errorcode[error]}-{role}-{'lasting' if mode == 'full' else 'once'}-{kinds}"


@pytest.mark.parametrize("trouble", TROUBLES, ids=name)
@pytest.mark.parametrize("scene", ["success", "failing", "files"])
def test_trouble_with_storage_is_said_and_nothing_is_forgotten(
    server: ForkServer, scene: str, trouble: tuple[str, str, int, int]
) -> None:
    points = troubles(scene, server.kinds(scene), trouble)
    check(server, sample(points, EACH, seed=f"{scene} {trouble}"))
