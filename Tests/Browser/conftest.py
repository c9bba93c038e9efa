"""The book in headless Chromium, as a reader opens it: from the disk, without a server."""

import os
import pathlib
import time

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOK = pathlib.Path(os.environ.get("LAB_BOOK", ROOT / "book")).resolve()
WIDTHS = (360, 768, 1440)
SCHEMES = ("light", "dark")

PAGES = sorted(str(page.relative_to(BOOK)) for page in BOOK.rglob("*.html"))
TEXTS = [page for page in PAGES if not page.startswith("code/")]
CHAPTERS = [page for page in TEXTS if page[0].isdigit()]


class Browser:
    """A Chromium with what the tests ask of it."""

    def __init__(self, driver):
        self.driver = driver

    def look(self, width=1440, height=900, scheme="light"):
        """Sets the size of the window and the colours that the reader prefers."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )

    def open(self, page):
        """Opens a page of the book."""
        self.driver.get((BOOK / page).as_uri())

    def run(self, script, *arguments):
        """Runs a script in the page and returns its result."""
        return self.driver.execute_script(script, *arguments)

    def complaints(self):
        """What the console has said since it was last asked, without what is no mistake."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]


def press(browser, *keys):
    ActionChains(browser.driver).send_keys(*keys).perform()


def wait_for(browser, script, seconds=5):
    """Waits until a script says yes, and returns its last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = browser.run(script)
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.05)


@pytest.fixture(scope="session")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService("/usr/bin/chromedriver")
    )
    yield Browser(driver)
    driver.quit()
