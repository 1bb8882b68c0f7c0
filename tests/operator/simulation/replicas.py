"""Operators as processes of their own."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path


class Replica:
    """An operator process."""

    def __init__(self, namespace: str, kubeconfig: Path, log: Path) -> None:
        self.log = log
        told = {"LEASE_NAMESPACE": namespace, "NAMESPACES": namespace, "HTTP_PORT": "0", "HTTP_HOST": "127.0.0.1"}
        environment = os.environ | {"KUBECONFIG": str(kubeconfig)} | {f"BIDLOCK_OPERATOR_{name}": value for name, value in told.items()}
        with log.open("ab") as file:
            self.process = subprocess.Popen([sys.executable, "-m", "bidlock_operator"], env=environment, stdout=file, stderr=file)

    @property
    def epoch(self) -> int:
        """Under which it leads; 0 while it does not."""
        found = re.search(r'"epoch": (\d+), "event": "leading"', self.log.read_text())
        return int(found[1]) if found else 0

    @property
    def port(self) -> int:
        """Of its pages."""
        found = re.search(r'"port": (\d+)', self.log.read_text())
        assert found
        return int(found[1])

    async def leads(self, seconds: float = 60.0) -> int:
        """Wait until it leads."""
        deadline = time.monotonic() + seconds
        while not self.epoch:
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() < deadline, f"does not lead after {seconds:g} s"
            await asyncio.sleep(0.05)
        return self.epoch

    async def stands_by(self) -> None:
        """Wait until it takes part, and does not lead."""
        async with asyncio.timeout(60):
            while "operator begins" not in self.log.read_text():
                await asyncio.sleep(0.05)
        assert self.epoch == 0

    async def ended(self) -> int:
        """Wait until it has ended; its exit code."""
        async with asyncio.timeout(60):
            while (code := self.process.poll()) is None:
                await asyncio.sleep(0.05)
        return code

    def stop(self) -> None:
        """Have it gone."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
