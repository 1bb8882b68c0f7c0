"""What error replies mean; the texts are those of real servers."""

from __future__ import annotations

import hiredis
import pytest

from bidlock.errors import BackendAmbiguous, BackendUnavailable
from bidlock_redis import refusals

SHA = "0" * 40


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("READONLY You can't write against a read only replica.", BackendUnavailable),
        (f"READONLY You can't write against a read only replica. script: {SHA}, on @user_script:9.", BackendUnavailable),
        (
            f"ERR Error running script (call to f_{SHA}): @user_script:9: @user_script: 9: -READONLY You can't write against a read only replica. ",
            BackendUnavailable,
        ),
        ("LOADING Redis is loading the dataset in memory", BackendUnavailable),
        (f"OOM command not allowed when used memory > 'maxmemory'. script: {SHA}, on @user_script:9.", BackendUnavailable),
        ("MISCONF Errors writing to the AOF file: No space left on device", BackendUnavailable),
        ("CLUSTERDOWN The cluster is down", BackendUnavailable),
        ("NOPERM User bot has no permissions to run the 'evalsha' command", BackendUnavailable),
        ("ERR unknown command 'EVALSHA'", BackendUnavailable),
        (f"ERR The user executing the script can't run this command or subcommand script: {SHA}, on @user_script:9.", BackendAmbiguous),
        (f"WRONGTYPE Operation against a key holding the wrong kind of value script: {SHA}, on @user_script:9.", BackendAmbiguous),
        (f"ERR Error running script (call to f_{SHA}): @user_script:9: WRONGTYPE Operation against a key", BackendAmbiguous),
    ],
)
def test_a_refusal_did_not_happen_and_a_broken_script_may_have(text: str, kind: type[Exception]):
    assert isinstance(refusals.error(hiredis.ReplyError(text)), kind)
