"""`lab serve` in headless Chromium: a saved chapter reloads its page, and a run is seen below it."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest
from conftest import ROOT, wait_for

LAB = pathlib.Path(os.environ.get("LAB_PROGRAM", ROOT / ".build/debug/lab"))
PARTS = ("Package.swift", "README.md", "CONTRIBUTING.md", "LICENSE", "Chapters", "Sources", "figures",
         "results")
PROSE = "Chapters/2.1-momentum-versus-nesterov.md"


@pytest.fixture
def served(tmp_path):
    """A copy of the package, and the address at which its chapter 2.1 is served."""
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    server = subprocess.Popen(
        [LAB, "serve", "2.1", "--port", "0"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    address = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+/2\.1-.*\.html)\n", server.stdout.readline())
    yield tmp_path, address[1], server
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130


def alter(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    # As editors do: beside it, and renamed.
    draft = path.with_suffix(".draft")
    draft.write_text(text.replace(old, new, 1), encoding="utf-8")
    draft.rename(path)


def test_a_saved_chapter_reloads_its_page(browser, served):
    folder, address, _ = served
    browser.look()
    browser.driver.get(address)
    browser.run("window.isOld = true")
    alter(folder / PROSE, "\n## ", "\nQuite new words.\n\n## ")
    new = "return !window.isOld && document.body.innerText.includes('Quite new words.')"
    assert wait_for(browser, new, 60)
    # What cannot be made is told on the page as it was, and goes when it is mended.
    browser.run("window.isOld = true")
    alter(folder / PROSE, "Quite new words.", "Bad \ue000 words.")
    told = "const p = document.querySelector('.serve > p'); return !p.hidden && p.innerText"
    assert "private use" in wait_for(browser, told, 60)
    assert browser.run("return window.isOld && document.body.innerText.includes('Quite new words.')")
    browser.driver.refresh()
    assert "private use" in wait_for(browser, told, 60)
    alter(folder / PROSE, "Bad \ue000 words.", "Quite new words, mended.")
    assert wait_for(browser, "return document.body.innerText.includes('words, mended.')", 60)
    assert browser.run("return document.querySelector('.serve > p').hidden")


def test_a_chapter_is_run_quickly_from_its_page(browser, served):
    _, address, _ = served
    browser.look()
    browser.driver.get(address)
    browser.driver.find_element("css selector", ".serve > button").click()
    words = "const s = document.querySelector('.serve-run'); return !s.hidden && s.innerText"
    text = wait_for(browser, words, 300)
    assert "Checks" in text and re.search(r"2\.1 passed: \d+ of \d+ checks hold", text)
    assert browser.run("return document.querySelector('.serve-run').dataset.holds") == "true"


def test_a_save_during_a_run_reloads_the_page_and_keeps_the_answer(browser, served):
    folder, address, _ = served
    browser.look()
    browser.driver.get(address)
    browser.run("window.isOld = true")
    button = browser.driver.find_element("css selector", ".serve > button")
    button.click()
    assert wait_for(browser, "return document.querySelector('.serve > button').disabled")
    alter(folder / PROSE, "\n## ", "\nQuite new words.\n\n## ")
    new = "return !window.isOld && document.body?.innerText.includes('Quite new words.')"
    assert wait_for(browser, new, 60)
    words = "const s = document.querySelector('.serve-run'); return s && !s.hidden && s.innerText"
    text = wait_for(browser, words, 300)
    assert re.search(r"2\.1 passed: \d+ of \d+ checks hold", text)
    assert "A save has come since this run began." in text
    assert browser.run("return document.querySelector('.serve-run').dataset.holds") == "true"
    # And whoever reloads by hand, or opens the chapter in a second window, finds it too.
    browser.driver.refresh()
    assert wait_for(browser, words, 30) == text
    # The next run is of the page as it is.
    browser.driver.find_element("css selector", ".serve > button").click()
    again = "return document.querySelector('.serve-run > p').hidden"
    assert wait_for(browser, again, 300)


def test_a_run_of_another_window_is_followed_and_its_answer_kept(browser, served):
    _, address, _ = served
    browser.look()
    browser.driver.get(address)
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    second = browser.driver.current_window_handle
    other = re.sub(r"2\.1-.*", "2.2.1-dropout-as-an-ensemble.html", address)
    click = "document.querySelector('.serve > button').click()"
    isRunning = "return document.querySelector('.serve > button').disabled"
    words = "const s = document.querySelector('.serve-run'); return s && !s.hidden && s.innerText"
    try:
        browser.driver.get(address)
        browser.driver.switch_to.window(first)
        browser.run(click)
        assert wait_for(browser, isRunning)
        browser.driver.switch_to.window(second)
        assert not browser.run(isRunning)
        browser.run(click)
        assert wait_for(browser, isRunning)
        text = wait_for(browser, words, 300)
        assert re.search(r"2\.1 passed: \d+ of \d+ checks hold", text)
        # While another chapter's is under way none is begun, and the answer stays.
        browser.driver.switch_to.window(first)
        assert wait_for(browser, words, 30) == text
        browser.driver.switch_to.window(second)
        browser.driver.get(other)
        browser.run(click)
        assert wait_for(browser, isRunning)
        browser.driver.switch_to.window(first)
        browser.run(click)
        told = "const p = document.querySelector('.serve > [role=status]'); return !p.hidden && p.innerText"
        assert wait_for(browser, told) == "Another run is under way; wait for its end."
        assert browser.run(words) == text and not browser.run(isRunning)
    finally:
        browser.driver.switch_to.window(second)
        browser.driver.close()
        browser.driver.switch_to.window(first)
        # A refusal is none of the page's mistakes.
        browser.complaints()


def test_a_page_waits_for_no_run_of_a_server_that_has_ended(browser, served):
    _, address, server = served
    browser.look()
    browser.driver.get(address)
    browser.driver.find_element("css selector", ".serve > button").click()
    isRunning = "return document.querySelector('.serve > button')?.disabled"
    assert wait_for(browser, isRunning)
    browser.driver.refresh()
    assert wait_for(browser, isRunning)
    server.send_signal(signal.SIGINT)
    assert server.wait(60) == 130
    assert wait_for(browser, "return !document.querySelector('.serve > button').disabled", 30)
    label = browser.run("return document.querySelector('.serve > button').textContent")
    assert label == "Run 2.1 quickly"
    assert browser.run("return document.querySelector('.serve-run').hidden")
    browser.complaints()


def test_a_server_that_is_started_again_shows_what_is_new(browser, served):
    folder, address, server = served
    browser.driver.get(address)
    server.send_signal(signal.SIGINT)
    assert server.wait(60) == 130
    alter(folder / PROSE, "\n## ", "\nQuite new words.\n\n## ")
    port = re.search(r":(\d+)/", address)[1]
    again = subprocess.Popen(
        [LAB, "serve", "2.1", "--port", port], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    try:
        new = "return document.body?.innerText.includes('Quite new words.')"
        assert wait_for(browser, new, 60)
    finally:
        again.send_signal(signal.SIGINT)
        assert again.wait(60) == 130
        browser.complaints()


def test_a_server_that_has_ended_is_told(browser, served):
    _, address, server = served
    browser.driver.get(address)
    server.send_signal(signal.SIGINT)
    assert server.wait(60) == 130
    told = "const p = document.querySelector('.serve > p'); return !p.hidden && p.innerText"
    assert "served no more" in wait_for(browser, told, 60)
    # The page is as it was, and its complaints are those of a server that is gone.
    browser.complaints()
