"""A digit that is drawn into the book, and what the final model reads in it."""

import base64
import csv
import hashlib
import json
import os
import random
import re
import subprocess
import time

import digits
import pytest
from conftest import BOOK, ROOT, press, wait_for
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

LAB = os.environ.get("LAB_TOOL", str(ROOT / ".build" / "debug" / "lab"))
WEIGHTS = BOOK / "draw-weights.js"

pytestmark = pytest.mark.skipif(
    not WEIGHTS.is_file(),
    reason="the book was made without weights: lab book --weights FILE",
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The file of weights that the page carries."""
    text = WEIGHTS.read_text(encoding="ascii")
    file = tmp_path_factory.mktemp("weights") / "weights.bin"
    file.write_bytes(base64.b64decode(re.search('"(.*)"', text).group(1)))
    return file


@pytest.fixture
def page(browser):
    """The page, as soon as its model is there."""
    browser.look()
    browser.open("draw.html")
    assert wait_for(browser, "return document.getElementById('answer').textContent.includes('drawn')")
    return browser


def draw(browser, strokes):
    """Draws strokes of points (x, y) on a sheet of side 1, as a pointer would."""
    browser.run(
        """
        const sheet = document.getElementById("sheet");
        const box = sheet.getBoundingClientRect();
        arguments[0].forEach((stroke, pointer) => {
          const send = (name, [x, y]) => sheet.dispatchEvent(new PointerEvent(name, {
            pointerId: pointer + 2, bubbles: true, cancelable: true, button: 0,
            clientX: box.left + sheet.clientLeft + x * sheet.clientWidth,
            clientY: box.top + sheet.clientTop + y * sheet.clientHeight,
          }));
          stroke.forEach((point, index) => send(index ? "pointermove" : "pointerdown", point));
          send("pointerup", stroke.at(-1));
        });
        """,
        strokes,
    )


def placed(strokes, left, top, size):
    """The strokes of a digit's pixels in a square of the sheet."""
    return [
        [[left + size * x / digits.SIDE, top + size * y / digits.SIDE] for x, y in stroke]
        for stroke in strokes
    ]


def answer(browser):
    """What the page has read, after the frame in which it reads; None where it says nothing."""
    return browser.driver.execute_async_script(
        """
        const done = arguments[0];
        requestAnimationFrame(() => setTimeout(() => {
          const digit = document.getElementById("answer").textContent.match(/This is an? (\\d)/);
          done(digit ? Number(digit[1]) : null);
        }));
        """
    )


def seen(browser):
    """The 784 bytes that the model sees."""
    return browser.run(
        "const c = document.getElementById('seen');"
        "return [...c.getContext('2d').getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 3)"
    )


def clear(browser):
    browser.run("document.getElementById('clear').click()")


def test_page_and_data_are_small(weights):
    files = list(BOOK.glob("draw*")) + [BOOK / "book.css"]
    assert sum(file.stat().st_size for file in files) <= 6_000_000
    assert weights.stat().st_size <= 3_000_000
    assert (BOOK / "draw-digits.js").stat().st_size <= 3_000_000


def test_it_predicts_as_the_lab_does(page, weights, tmp_path):
    compare(page, weights, 10_000 if os.environ.get("LAB_LONG_TESTS") else 1000, tmp_path)


def test_it_moves_images_as_the_lab_does(page, weights, tmp_path):
    """Weights whose predictions are averaged over two views, one of them turned, sheared and shifted."""
    data = weights.read_bytes()
    end = 16 + int.from_bytes(data[12:16], "little")
    header = json.loads(data[16:end])
    state = json.loads(header["state"])
    state["views"] = [[1, 0, 0, 1, 0, 0], [0.9, -0.3, 0.25, 1.05, 1.5, -0.75]]
    header["state"] = json.dumps(state)
    text = json.dumps(header).encode()
    changed = data[:12] + len(text).to_bytes(4, "little") + text + data[end:-32]
    moved = tmp_path / "moved.bin"
    moved.write_bytes(changed + hashlib.sha256(changed).digest())
    compare(page, moved, 100, tmp_path)


def compare(page, weights, count, folder):
    """The page and `lab result` with the same weights: each digit, and probabilities within 1e-4."""
    table = folder / "probabilities.csv"
    subprocess.run(
        [LAB, "result", "--model", weights, "--out", folder / "p.csv", "--probabilities", table],
        check=True, cwd=ROOT,
    )  # fmt: skip
    with open(table, encoding="ascii") as file:
        expected = [[float(cell) for cell in row[1:]] for row in list(csv.reader(file))[1:]]
    with open(folder / "p.csv", encoding="ascii") as file:
        predicted = [int(row[1]) for row in list(csv.reader(file))[1:]]
    images = digits.images("t10k")[:count]
    page.run(
        "window.testModel = window.labNetwork.model(arguments[0])",
        base64.b64encode(weights.read_bytes()).decode("ascii"),
    )
    for start in range(0, count, 50):
        block = b"".join(images[start : start + 50])
        rows = page.run(
            """
            const pixels = window.labNetwork.bytes(arguments[0]);
            const rows = [];
            for (let place = 0; place < pixels.length; place += 784) {
              rows.push([...window.testModel.read(pixels.subarray(place, place + 784)).probabilities]);
            }
            return rows;
            """,
            base64.b64encode(block).decode("ascii"),
        )
        for index, row in enumerate(rows, start):
            assert row.index(max(row)) == predicted[index], index
            far = max(abs(a - b) for a, b in zip(row, expected[index], strict=True))
            assert far <= 1e-4, (index, far)


def test_pictures_become_the_same_image_in_the_page_and_in_the_lab(page, weights, tmp_path):
    """The normalisation is written twice: digits at random sizes and places, by both."""
    draw_of = random.Random(1)
    for index, image in enumerate(digits.images("t10k")[:8]):
        width, height = draw_of.randint(40, 160), draw_of.randint(40, 160)
        scale = draw_of.uniform(0.6, min(width, height) / 30)
        size = int(scale * digits.SIDE)
        left = draw_of.randint(1, width - size - 1)
        top = draw_of.randint(1, height - size - 1)
        ink = [0] * (width * height)
        for y in range(size):
            for x in range(size):
                pixel = image[int(y / scale) * digits.SIDE + int(x / scale)]
                ink[(top + y) * width + left + x] = pixel
        # The darkest pixel there is counts as ink, in the lab; here it is black.
        ink = [round(value * 255 / max(ink)) for value in ink]
        greys = ink if index % 2 else [255 - value for value in ink]
        file = tmp_path / "digit.pgm"
        file.write_bytes(b"P5\n%d %d\n255\n" % (width, height) + bytes(greys))
        outcome = subprocess.run(
            [LAB, "read", file, "--model", weights, "--json"],
            check=True, capture_output=True, cwd=ROOT,
        )  # fmt: skip
        theirs = json.loads(outcome.stdout)["pixels"]
        ours = page.run(
            "const [width, height, bytes] = arguments;"
            "const ink = Float32Array.from(window.labNetwork.bytes(bytes), (v) => v / 255);"
            "return [...window.labDigit.normalised({ width, height, ink })]",
            width, height, base64.b64encode(bytes(ink)).decode("ascii"),
        )  # fmt: skip
        assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= 1, index


def test_a_digit_enlarged_comes_back_as_it_was(page):
    """Of MNIST's own images all but one in ten thousand have the frame that the page makes."""
    same = 0
    for image in digits.images("t10k")[:100]:
        large = bytes(image[y // 5 * 28 + x // 5] for y in range(140) for x in range(140))
        result = page.run(
            "const ink = Float32Array.from(window.labNetwork.bytes(arguments[0]), (v) => v / 255);"
            "return [...window.labDigit.normalised({ width: 140, height: 140, ink })]",
            base64.b64encode(large).decode("ascii"),
        )
        same += max(abs(a - b) for a, b in zip(result, image, strict=True)) <= 1
    assert same >= 99


def test_size_and_place_do_not_matter(page):
    """A hundred test digits as a hand would draw them: in the middle, and each at another place."""
    draw_of = random.Random(2016)
    truth = digits.labels("t10k")[:100]
    middle, elsewhere, same = 0, 0, 0
    for image, digit in zip(digits.images("t10k")[:100], truth, strict=True):
        strokes = digits.strokes(image)
        draw(page, placed(strokes, 0.1, 0.1, 0.8))
        expected = answer(page)
        clear(page)
        size = draw_of.uniform(0.15, 0.6)
        left, top = (draw_of.uniform(0, 1 - size) for _ in range(2))
        draw(page, placed(strokes, left, top, size))
        read = answer(page)
        clear(page)
        middle += expected == digit
        elsewhere += read == digit
        same += read == expected
    assert middle >= 85 and elsewhere >= middle - 2 and same >= 98, (middle, elsewhere, same)


def test_an_empty_sheet_gets_no_answer(page):
    def is_silent():
        return (
            answer(page) is None
            and "Nothing" in page.run("return document.getElementById('answer').textContent")
            and page.run("return document.querySelector('.bars').textContent") == "0123456789"
            and page.run("return document.getElementById('nearest').hidden")
            and page.run("return document.getElementById('channels').hidden")
            and max(seen(page)) == 0
        )

    assert is_silent()
    draw(page, [[[0.5, 0.2], [0.5, 0.8]]])
    assert answer(page) is not None and not is_silent()
    page.driver.find_element("id", "undo").click()
    assert is_silent()
    draw(page, [[[0.5, 0.2], [0.5, 0.8]], [[0.3, 0.3], [0.4, 0.6]]])
    assert answer(page) is not None
    page.driver.find_element("id", "clear").click()
    assert is_silent()


def test_all_is_shown_that_is_said_of_a_digit(page):
    draw(page, placed(digits.strokes(digits.images("t10k")[0]), 0.3, 0.3, 0.4))
    read = answer(page)
    shares = page.run(
        "return [...document.querySelectorAll('.bars .share')].map((s) => parseFloat(s.textContent))"
    )
    assert len(shares) == 10 and abs(sum(shares) - 100) < 1 and shares.index(max(shares)) == read
    widths = page.run(
        "return [...document.querySelectorAll('.bars .bar')].map((bar) =>"
        " parseFloat(getComputedStyle(bar, '::before').width) / bar.clientWidth * 100)"
    )
    assert all(abs(width - share) < 1 for width, share in zip(widths, shares, strict=True))
    image = seen(page)
    inked = [place for place, value in enumerate(image) if value]
    rows, columns = [p // 28 for p in inked], [p % 28 for p in inked]
    assert 20 == max(max(rows) - min(rows), max(columns) - min(columns)) + 1
    assert page.run("return document.querySelectorAll('#channel-pictures canvas').length") > 10
    # The nearest of the kit's labelled digits: of each class the first three hundred.
    taken, learnt = [0] * 10, []
    for index, label in enumerate(digits.labels("train")):
        if taken[label] < 300:
            taken[label] += 1
            learnt.append((index, label))
    train = digits.images("train")
    found = sorted(
        (sum((a - b) ** 2 for a, b in zip(image, train[index], strict=True)), index, label)
        for index, label in learnt
    )[:5]
    shown = page.run(
        "return [...document.querySelectorAll('#nearest-pictures li')].map((item) => ["
        "Number(item.querySelector('canvas').getAttribute('aria-label').match(/\\d+/)[0]),"
        "item.querySelector('.label').textContent, item.querySelector('.meta').textContent])"
    )
    assert shown == [
        [index, "an 8" if label == 8 else f"a {label}", f"differs by {distance**0.5 / 255:.1f}"]
        for distance, index, label in found
    ]


def test_a_stroke_does_not_scroll_the_page(page):
    page.look(360, 640)
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:

        def swipe(selector):
            page.run(
                "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })", selector
            )
            before, x, y = page.run(
                "const b = document.querySelector(arguments[0]).getBoundingClientRect();"
                "return [scrollY, b.left + b.width / 2, b.top + b.height / 2]",
                selector,
            )
            for name, way in [("Start", 0)] + [("Move", 10 * k) for k in range(1, 13)]:
                page.driver.execute_cdp_cmd(
                    "Input.dispatchTouchEvent",
                    {"type": f"touch{name}", "touchPoints": [{"x": x, "y": y - way}]},
                )
                time.sleep(0.02)
            page.driver.execute_cdp_cmd(
                "Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []}
            )
            time.sleep(0.3)
            return page.run("return scrollY") - before

        assert abs(swipe("#sheet")) < 1
        assert answer(page) is not None
        # And the same gesture does scroll where nothing is drawn.
        assert swipe("#answer") > 50
    finally:
        page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_it_is_drawn_with_a_mouse_and_by_keys(page):
    sheet = page.driver.find_element("id", "sheet")
    page.run("arguments[0].scrollIntoView({ block: 'center' })", sheet)
    mouse = ActionChains(page.driver).move_to_element_with_offset(sheet, 0, -100)
    mouse.click_and_hold().move_by_offset(0, 100).move_by_offset(0, 100).release().perform()
    assert answer(page) == 1
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
    assert answer(page) is None
    page.open("draw.html")
    assert wait_for(page, "return document.getElementById('answer').textContent.includes('drawn')")
    for _ in range(20):
        press(page, Keys.TAB)
        if page.run("return document.activeElement.id === 'sheet'"):
            break
    before = page.run("return scrollY")
    press(page, *[Keys.ARROW_UP] * 8, Keys.SPACE, *[Keys.ARROW_DOWN] * 16, Keys.SPACE)
    # The pen is up: this leaves no ink.
    press(page, *[Keys.ARROW_LEFT] * 8)
    assert answer(page) == 1
    assert page.run("return scrollY") == before
    columns = {place % 28 for place, value in enumerate(seen(page)) if value}
    assert len(columns) <= 5
    press(page, Keys.TAB)
    assert page.run("return document.activeElement.id") == "undo"
    press(page, Keys.SPACE)
    assert answer(page) is None


def test_an_error_that_remains_lies_under_the_sheet(page):
    buttons = page.driver.find_elements("css selector", "#mistake-pictures button")
    if not buttons:
        pytest.skip("the weights make no mistake that is known")
    buttons[0].click()
    assert answer(page) is None
    ink = (
        "const s = document.getElementById('sheet'); const d = s.getContext('2d')"
        ".getImageData(0, 0, s.width, s.height).data; let sum = 0;"
        "for (let i = 3; i < d.length; i += 4) sum += d[i]; return sum"
    )
    assert page.run(ink) > 0
    page.driver.find_element("id", "clear").click()
    assert page.run(ink) == 0
