"""The page at `/` in a real browser shows what is served."""

import http.client
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecycle.client import Client
from tests.e2e.harness import Cluster

pytestmark = pytest.mark.e2e

BROWSER = shutil.which("chromium")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
)


@pytest.mark.skipif(BROWSER is None, reason="needs Debian's chromium: apt-get install chromium")
def test_the_page_shows_the_split(
    cluster: Cluster, deployed: Callable[[int], tuple[str, Client]], tmp_path: Path
) -> None:
    model, client = deployed(2)
    client.set_traffic(model, {1: 75, 2: 25})
    assert BROWSER is not None
    shown = subprocess.run(
        [BROWSER, *QUIET, f"--user-data-dir={tmp_path}", "--timeout=4000", "--dump-dom", cluster.url],
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert model in shown
    assert "25 %" in shown or "25%" in shown


def test_the_page_lets_no_script_in_from_elsewhere(cluster: Cluster) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", cluster.admin, timeout=10)
    connection.request("GET", "/")
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "http://" not in body
    assert "https://" not in body
