"""The page at `/`, in a real browser."""

import http.client
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from gateway.core.keys import KeyRole
from lifecycle.client import Client
from lifecycle.ports import Entry
from tests.e2e.harness import Cluster
from tests.lifecycle.desk import onnx_bytes
from tests.lifecycle.live import serving

pytestmark = pytest.mark.e2e

DRIVER = shutil.which("chromedriver")
SWITCHES = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    if DRIVER is None:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path / 'browser'}"):
        options.add_argument(switch)
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def test_the_page_follows_the_split(
    cluster: Cluster, deployed: Callable[[int], tuple[str, Client]], browser: webdriver.Chrome
) -> None:
    model, client = deployed(2)
    browser.get(cluster.url)

    def shows(*words: str) -> Callable[[webdriver.Chrome], bool]:
        return lambda page: all(word in page.find_element(By.TAG_NAME, "body").text for word in words)

    WebDriverWait(browser, 20).until(shows(model, "100 %"))
    browser.execute_script("seen = document.querySelector('.card table')")
    browser.execute_script("getSelection().selectAllChildren(seen)")
    client.set_traffic(model, {1: 75, 2: 25})
    WebDriverWait(browser, 20).until(shows("75 %", "25 %"))
    kept = browser.execute_script("return seen.isConnected && getSelection().toString().includes('stage')")
    assert kept, "a refresh leaves what the reader has selected"
    console: Any = browser  # its log has no types
    assert [line["message"] for line in console.get_log("browser")] == []


def test_the_page_asks_for_a_key_and_follows_the_ledger_with_it(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with serving(home, identity=True) as live:
        _, secret = live.desk.keys.create("ann", KeyRole.VIEWER, actor="boss")
        browser.get(live.url)

        def says(name: str, word: str) -> Callable[[webdriver.Chrome], bool]:
            return lambda page: word in page.find_element(By.ID, name).text

        WebDriverWait(browser, 20).until(says("ready", "locked"))
        browser.find_element(By.ID, "secret").send_keys(secret, Keys.ENTER)
        WebDriverWait(browser, 20).until(says("live", "live"))
        assert not browser.find_element(By.ID, "problem").is_displayed()
        live.desk.keys.create("bob", KeyRole.VIEWER, actor="carol")
        WebDriverWait(browser, 20).until(says("events", "carol"))


def test_the_page_puts_rollouts_first(browser: webdriver.Chrome, tmp_path: Path) -> None:
    home, artifact = tmp_path / "home", tmp_path / "model.onnx"
    home.mkdir()
    with serving(home) as live, Client(live.url, actor="test") as client:
        for name, text in (("alpha", "1"), ("beta", "1"), ("omega", "1"), ("omega", "2")):
            artifact.write_bytes(onnx_bytes(text))
            client.deploy(name, client.register(name, artifact)["number"])
        browser.get(live.url)

        def shows_in_order(page: webdriver.Chrome) -> bool:
            cards = page.find_elements(By.CSS_SELECTOR, ".card .title")
            titles = [" ".join(card.text.split()) for card in cards]
            return (
                len(titles) == 3 and titles[0].startswith("omega rollout") and titles[1].startswith("alpha")
            )

        WebDriverWait(browser, 20).until(shows_in_order)


def test_receipts_of_labels_and_numbers_push_no_decision_off_the_page(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with serving(home) as live:
        store = live.desk.store
        browser.get(live.url)
        WebDriverWait(browser, 20).until(lambda page: page.find_element(By.ID, "live").text == "live")
        store.commit(Entry("carol", "rollout.abort", "m", {}))
        for _ in range(3):
            for kind in ("labels.received", "feedback.received"):
                store.commit(Entry("shop", kind, "m", {"joined": 1}))

        def folded(page: webdriver.Chrome) -> bool:
            said = [item.text for item in page.find_elements(By.CSS_SELECTOR, "#events li")][:3]
            return sum("3 times" in item for item in said) == 2 and said[-1].startswith("rollout.abort")

        WebDriverWait(browser, 20).until(folded)


def test_the_page_lets_no_script_in_from_elsewhere(cluster: Cluster) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", cluster.admin, timeout=10)
    connection.request("GET", "/")
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert "http://" not in body
    assert "https://" not in body
