"""MiniStack, an emulator of AWS that nobody here wrote, on the loopback interface and on a free port."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

REGION = "eu-west-1"
READY_WITHIN = 60  # seconds
STOPS_WITHIN = 10


class Emulator:
    """A running emulator; leaving the `with` block stops it and every function it has started."""

    def __init__(self, folder: pathlib.Path):
        self.log = folder / "emulator.log"
        self.folder = folder / "emulator"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    def environment(self) -> dict[str, str]:
        """What leads AWS's clients here: boto3's, the SAM command's, and our own."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def __enter__(self) -> "Emulator":
        # Everything it writes stays in here, and nothing of the run before is found.
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "STATE_DIR": str(self.folder / "state"),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            # Listeners of other services, which would listen on every interface.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "MINISTACK_REGION": REGION,
            # It hands this one on to the functions: so they find it without a word of it in the template.
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
        }
        command = [str(pathlib.Path(sys.executable).parent / "ministack")]
        with self.log.open("wb") as log:
            # A group of its own, so that the functions it starts end with it.
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/_ministack/ready", timeout=2) as answer:
                    if json.load(answer).get("status") == "completed":
                        return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            time.sleep(0.2)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
        raise RuntimeError(f"the emulator did not start; the end of {self.log}:\n{tail}")

    def __exit__(self, *_: object) -> None:
        if self.process is None:
            return
        for sent in (signal.SIGTERM, signal.SIGKILL):
            try:
                # The group, by the id of the process that was started above.
                os.killpg(self.process.pid, sent)
            except ProcessLookupError:
                break
            try:
                self.process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
