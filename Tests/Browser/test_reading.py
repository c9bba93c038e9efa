"""What a reader does: asks a number where it is from, searches, sorts, tries an exercise."""

import time

from conftest import BOOK, CHAPTERS, press, wait_for
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

MOMENTUM = next(page for page in CHAPTERS if page.startswith("2.1-"))
LEADERBOARD = next(page for page in CHAPTERS if page.startswith("3.3-"))


def test_a_number_says_by_keyboard_where_it_is_from(browser):
    browser.look()
    browser.open(MOMENTUM)
    for _ in range(60):
        press(browser, Keys.TAB)
        if browser.run("return document.activeElement.matches('a.bound')"):
            break
    name = browser.run("return document.activeElement.hash.slice(3)")
    note = browser.driver.find_element(By.ID, "note")
    assert note.is_displayed()
    for word in (name, "Value", "Tolerance", "Run on", "Seed", "2016", "Processor"):
        assert word in note.text
    assert browser.run("return document.activeElement.getAttribute('aria-describedby')") == "note"
    press(browser, Keys.ESCAPE)
    assert not note.is_displayed()
    # By a pointer and by a finger too.
    number = browser.driver.find_elements(By.CSS_SELECTOR, "article p a.bound")[2]
    browser.run("arguments[0].scrollIntoView({ block: 'center' })", number)
    ActionChains(browser.driver).move_to_element(number).perform()
    assert note.is_displayed()
    number.click()
    assert note.is_displayed() and browser.driver.current_url.endswith(".html")
    browser.run("document.body.click()")
    assert not note.is_displayed()


def test_a_note_stays_in_the_window(browser):
    for width in (360, 1440):
        browser.look(width, 740)
        browser.open(MOMENTUM)
        bad = browser.run(
            """
            const bad = [];
            for (const mark of document.querySelectorAll("article a.bound, article a.claim-mark")) {
              if (mark.closest("details")) continue;
              mark.focus();
              const box = document.getElementById("note").getBoundingClientRect();
              if (box.left < 0 || box.right > document.documentElement.clientWidth || !box.width)
                bad.push(mark.hash);
            }
            return bad;
            """
        )
        assert bad == []


def test_a_claim_says_its_comparison(browser):
    browser.look()
    browser.open(MOMENTUM)
    browser.run("document.querySelector('a.claim-mark').focus()")
    text = browser.driver.find_element(By.ID, "note").text
    assert "nesterov.steps < momentum.steps" in text
    assert "138 < 177" in text and "holds" in text


def test_the_search_finds_from_the_disk(browser):
    browser.look()
    browser.open(MOMENTUM)
    press(browser, "/", "saturat sigmoid")
    assert wait_for(browser, "return document.querySelectorAll('#found a').length")
    assert browser.run("return document.querySelector('#found mark')?.textContent")
    press(browser, Keys.ARROW_DOWN)
    link = browser.run("return document.activeElement.href")
    press(browser, Keys.ENTER)
    assert wait_for(browser, "return document.readyState === 'complete'")
    assert browser.driver.current_url == link
    press(browser, "/", "zzzz")
    assert wait_for(browser, "return document.getElementById('found').textContent.includes('Nothing')")
    said = "return document.getElementById('found-status').textContent"
    assert "Nothing" in browser.run(said)
    press(browser, Keys.ESCAPE)
    assert browser.run("return document.getElementById('found').hidden") and not browser.run(said)
    # And from a page that lies deeper.
    browser.open("code/Chapters/" + MOMENTUM.replace(".html", ".swift.html"))
    press(browser, "/", "nesterovStep")
    assert wait_for(browser, "return document.querySelectorAll('#found a').length")


def test_an_empty_box_finds_nothing(browser):
    """Words that are gone before the index has come."""
    browser.look()
    browser.open(MOMENTUM)
    script = """
      const [done, box] = [arguments[0], document.getElementById("search")];
      box.focus();
      for (const words of ["a", ""]) {
        box.value = words;
        box.dispatchEvent(new Event("input"));
      }
      setTimeout(() => done(document.getElementById("found").hidden), 1500);
    """
    assert browser.driver.execute_async_script(script)


def test_each_chapter_is_reached_by_keyboard(browser):
    browser.look()
    browser.open("index.html")
    script = """
      const links = [...document.querySelectorAll(".chapters li > a")];
      const missed = links.filter((link) => {
        link.focus();
        return document.activeElement !== link || getComputedStyle(link).display === "contents";
      });
      return [links.length, missed.length];
    """
    count, missed = browser.run(script)
    assert count == len(CHAPTERS) and missed == 0


def test_times_sort_as_times(browser):
    browser.look()
    browser.open("readme.html")
    script = """
      const button = [...document.querySelectorAll("th button")].find((b) => b.textContent === "time");
      button.click();
      const column = [...button.closest("tr").cells].indexOf(button.closest("th"));
      return [...button.closest("table").tBodies[0].rows].map((row) =>
        row.cells[column].textContent.trim());
    """
    words = [time.replace(",", "").split() for time in browser.run(script)]
    seconds = [float(number) * {"s": 1, "min": 60}[unit] for number, unit in words]
    assert len(seconds) == len(CHAPTERS) and seconds == sorted(seconds)


def test_a_task_is_asked_on_its_page_and_found_by_its_words(browser):
    browser.look()
    browser.open(MOMENTUM)
    task = browser.driver.find_element(By.CSS_SELECTOR, "section.try")
    assert "what is the new velocity" in " ".join(task.text.split())
    symbols = task.find_elements(By.CSS_SELECTOR, "dl.symbols dt")
    assert [symbol.text for symbol in symbols] == ["theta", "v", "mu", "eps", "grad(…)"]
    assert task.find_elements(By.CSS_SELECTOR, "p math")
    # What would give the answer away is folded.
    assert not task.find_element(By.CSS_SELECTOR, "details table").is_displayed()
    press(browser, "/", "coefficient learning rate velocity accelerated")
    assert wait_for(browser, "return document.querySelectorAll('#found a').length")
    press(browser, Keys.ARROW_DOWN)
    press(browser, Keys.ENTER)
    assert wait_for(browser, "return location.hash === '#try.nesterov'")
    press(browser, Keys.ESCAPE)
    assert browser.run(
        "const box = document.getElementById('try.nesterov').getBoundingClientRect();"
        "return box.top >= 0 && box.bottom <= innerHeight"
    )
    # The answers are no part of what the search reads: they would stand in its excerpts.
    press(browser, "/", "equal to the answer by algebra")
    assert wait_for(browser, "return document.getElementById('found').textContent.includes('Nothing')")


def test_a_picture_of_pixels_stands_on_the_page_in_the_dark(browser):
    """The paper between its parts is the page's, and captions on it can be read."""
    page = next(page for page in CHAPTERS if page.startswith("3.1-"))
    for scheme in ("light", "dark"):
        browser.look(scheme=scheme)
        browser.open(page)
        result = browser.run(
            """
            const image = document.querySelector("article svg image");
            const paper = image.nextElementSibling;
            const page = getComputedStyle(document.documentElement).backgroundColor;
            const caption = [...image.closest("svg").querySelectorAll("text")]
              .find((text) => / read as /.test(text.textContent));
            const box = caption.getBoundingClientRect();
            const point = new DOMPoint(box.left + box.width / 2, box.top + box.height / 2)
              .matrixTransform(paper.getScreenCTM().inverse());
            const middle = image.getBBox();
            return {
              isPage: getComputedStyle(paper).fill === page,
              covers: paper.isPointInFill(point),
              // The first digit's middle is not covered.
              shows: !paper.isPointInFill(new DOMPoint(middle.x + middle.width / 20,
                middle.y + middle.height / 12)),
            };
            """
        )
        assert result == {"isPage": True, "covers": True, "shows": True}, scheme


def test_no_cell_of_a_heat_map_glares_in_the_dark(browser):
    """A picture of what the browser draws: no cell is brighter than the pictures of other figures."""
    page = next(page for page in CHAPTERS if page.startswith("3.1-"))
    shares = {}
    for scheme in ("light", "dark"):
        browser.look(scheme=scheme)
        browser.open(page)
        figure = browser.driver.find_element(
            By.XPATH, "//article//*[name()='svg'][.//*[@class='shades']]"
        )
        shot = "data:image/png;base64," + figure.screenshot_as_base64
        # The part of the cells' area that is brighter; white letters are some of it.
        shares[scheme] = browser.driver.execute_async_script(
            """
            const done = arguments[1];
            const image = new Image();
            image.onload = () => {
              const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
              canvas.drawImage(image, 0, 0);
              const box = document.querySelector(".shades").getBoundingClientRect();
              const figure = document.querySelector(".shades").closest("svg").getBoundingClientRect();
              const data = canvas.getImageData(box.left - figure.left + 2, box.top - figure.top + 2,
                box.width - 4, box.height - 4).data;
              let count = 0;
              for (let place = 0; place < data.length; place += 4) {
                if (Math.min(data[place], data[place + 1], data[place + 2]) > 255 * 0.88) count += 1;
              }
              done(count * 4 / data.length);
            };
            image.src = arguments[0];
            """,
            shot,
        )
    assert shares["light"] > 0.1 and shares["dark"] < 0.02


def test_the_leaderboard_sorts(browser):
    browser.look()
    browser.open(LEADERBOARD)
    script = """
      const table = [...document.querySelectorAll("article table")].find((t) =>
        t.querySelector("th button") && !t.closest(".evidence"));
      const column = [...table.tHead.rows[0].cells].findIndex((cell, index) =>
        cell.querySelector("button")
          && [...table.tBodies[0].rows].every((row) => /^[−\\d.]/.test(row.cells[index].textContent)));
      const read = () => [...table.tBodies[0].rows].map((row) =>
        parseFloat(row.cells[column].textContent.replace("−", "-").replace(",", "")));
      const head = table.tHead.rows[0].cells[column];
      const steps = [read()];
      for (let click = 0; click < 3; click += 1) {
        head.querySelector("button").click();
        steps.push(read(), head.getAttribute("aria-sort"));
      }
      return steps;
    """
    before, up, first, down, second, again, third = browser.run(script)
    assert (first, second, third) == ("ascending", "descending", None)
    assert up == sorted(before) and down == sorted(before, reverse=True) and again == before
    assert up != down


def test_the_code_of_the_passage_is_beside_it(browser):
    browser.look()
    browser.open(MOMENTUM)
    shown = (
        "return [...document.querySelectorAll('.beside .excerpt')].filter((e) => !e.hidden)"
        ".map((e) => e.id)"
    )
    assert browser.run(shown) == []
    seen = []
    for place in ("the-two-rules", "how-fast-and-when-not-at-all", "both-constants-tuned"):
        browser.run("document.getElementById(arguments[0]).scrollIntoView()", place)
        assert wait_for(browser, shown)
        time.sleep(0.1)
        seen += browser.run(shown)
    assert len(seen) == 3 and len(set(seen)) == 3
    box = browser.run(
        "const b = [...document.querySelectorAll('.beside .excerpt')].find((e) => !e.hidden)"
        ".getBoundingClientRect(); return [b.left, b.top, b.bottom, innerHeight]"
    )
    assert box[0] > 600 and box[1] > 0 and box[2] <= box[3]
    # Where there is no room beside, it stands below its passage, all of it.
    browser.look(768)
    assert wait_for(browser, "return document.querySelectorAll('.beside .excerpt').length === 0")
    assert browser.run(
        "return [...document.querySelectorAll('article .excerpt')].every((e) =>"
        " !e.hidden && e.getBoundingClientRect().height > 60)"
    )


def test_it_reads_without_scripts(browser):
    browser.look()
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(MOMENTUM)
        excerpts = browser.driver.find_elements(By.CSS_SELECTOR, "article .excerpt pre")
        assert len(excerpts) >= 4 and all(excerpt.is_displayed() for excerpt in excerpts)
        assert not browser.driver.find_element(By.ID, "search").is_displayed()
        # A number then leads to its row at the end of the page.
        number = browser.driver.find_element(By.CSS_SELECTOR, "article p a.bound")
        row = number.get_attribute("href").partition("#")[2]
        assert browser.driver.find_element(By.ID, row)
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_answers_are_hidden_until_asked_for(browser):
    browser.look()
    browser.open(MOMENTUM)
    fold = browser.driver.find_element(By.XPATH, "//details[summary[.='Answer']]")
    answer = fold.find_element(By.TAG_NAME, "p")
    assert not answer.is_displayed()
    fold.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert answer.is_displayed()


def test_code_is_copied_without_its_line_numbers(browser):
    browser.look()
    browser.open("code/Chapters/" + MOMENTUM.replace(".html", ".swift.html"))
    text = browser.run("return document.querySelector('.whole code').textContent")
    source = (BOOK.parent / "Chapters" / MOMENTUM.replace(".html", ".swift"))
    if source.is_file():
        assert text == source.read_text(encoding="utf-8").rstrip("\n")
    browser.driver.find_element(By.CSS_SELECTOR, ".whole .copy").click()
    assert wait_for(browser, "return document.querySelector('.whole .copy').textContent !== 'Copy'")
    assert browser.run("return document.querySelector('.whole .copy').textContent") == "Copied"
