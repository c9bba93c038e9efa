// The page for a drawn digit. Its data are scripts that are loaded once the page stands: from the
// disk a page may load a script, and may fetch nothing.
"use strict";
(() => {
  const part = (id) => document.getElementById(id);
  const sheet = part("sheet");
  if (!sheet) return;
  const side = 28;
  // What the pen on the sheet is wide, as a share of the sheet.
  const pen = 0.055;
  // Strokes as lists of points [x, y] on a sheet of side 1.
  let strokes = [];
  // The pointer that draws, and its stroke.
  let drawing = null;
  // The pen that keys move.
  const nib = { x: 0.5, y: 0.5, isDown: false, isShown: false };
  // The faint picture under the sheet.
  let pattern = null;
  let model = null;
  let learnt = [];
  let waiting = false;

  const element = (name, text, style) => {
    const result = document.createElement(name);
    if (text !== undefined) result.textContent = text;
    if (style) result.className = style;
    return result;
  };

  function load(address) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`${address} cannot be read; make the book anew.`));
      document.head.append(script);
    });
  }

  async function start() {
    try {
      await load("draw-weights.js");
      model = window.labNetwork.model(window.labWeights);
      delete window.labWeights;
    } catch (error) {
      part("answer").textContent = error.message;
      return;
    }
    change();
    try {
      await load("draw-digits.js");
    } catch {
      return;
    }
    const packed = window.labDigits ?? {};
    delete window.labDigits;
    learnt = unpacked(packed.learnt);
    showMistakes(unpacked(packed.mistakes));
    change();
  }

  // Digits as `PackedDigits` in Sources/Book/Drawing.swift has them: a 0 stands for a run of them.
  function unpacked(packed) {
    if (!packed) return [];
    const bytes = window.labNetwork.bytes(packed.pixels);
    const pixels = new Uint8Array(packed.labels.length * side * side);
    let place = 0;
    for (let index = 0; index < bytes.length; index += 1) {
      if (bytes[index] === 0) {
        index += 1;
        place += bytes[index];
      } else {
        pixels[place] = bytes[index];
        place += 1;
      }
    }
    return packed.labels.map((label, index) => ({
      label, number: packed.numbers[index], read: packed.reads[index],
      pixels: pixels.subarray(index * side * side, (index + 1) * side * side),
    }));
  }

  // MARK: Pictures

  // Bytes as a picture, 0 for paper. Style sheets turn it for the dark.
  function paint(canvas, pixels) {
    const width = Math.round(Math.sqrt(pixels.length));
    [canvas.width, canvas.height] = [width, width];
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, width);
    pixels.forEach((pixel, place) => image.data.set([0, 0, 0, pixel], 4 * place));
    context.putImageData(image, 0, 0);
  }

  function picture(pixels, words) {
    const canvas = element("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", words);
    paint(canvas, pixels);
    return canvas;
  }

  function showSheet() {
    const size = sheet.width;
    const context = sheet.getContext("2d");
    context.clearRect(0, 0, size, size);
    if (pattern) {
      context.globalAlpha = 0.25;
      context.imageSmoothingEnabled = true;
      const inner = size * 0.8;
      context.drawImage(pattern, (size - inner) / 2, (size - inner) / 2, inner, inner);
      context.globalAlpha = 1;
    }
    context.lineWidth = pen * size;
    for (const stroke of strokes) {
      window.labDigit.trace(context, stroke.map(([x, y]) => [x * size, y * size]));
    }
    if (nib.isShown) {
      context.lineWidth = 2;
      context.beginPath();
      context.arc(nib.x * size, nib.y * size, pen * size / 2 + 3, 0, 2 * Math.PI);
      context.stroke();
    }
    disable(part("undo"), strokes.length === 0);
    disable(part("clear"), strokes.length === 0 && !pattern);
  }

  // A button that is disabled while it has the focus would leave the keys without a place.
  function disable(button, isDisabled) {
    if (isDisabled && document.activeElement === button) sheet.focus({ preventScroll: true });
    button.disabled = isDisabled;
  }

  // MARK: Answers

  // What is said anew is read aloud: only where it has changed.
  function say(words) {
    if (part("answer").textContent !== words) part("answer").textContent = words;
  }

  const bars = Array.from({ length: 10 }, (_, digit) => {
    const row = element("li");
    const bar = element("span", undefined, "bar");
    const share = element("span", "", "share");
    row.append(element("span", String(digit), "digit"), bar, share);
    part("bars").append(row);
    return { row, bar, share };
  });

  // Reads what is drawn, once a frame at most.
  function change() {
    showSheet();
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      answer();
    });
  }

  function answer() {
    const ink = window.labDigit.rendered(strokes);
    const pixels = ink && window.labDigit.normalised(ink);
    paint(part("seen"), pixels ?? new Uint8Array(side * side));
    const isRead = Boolean(pixels && model);
    part("channels").hidden = !isRead;
    part("nearest").hidden = !isRead || (part("nearest-pictures") && learnt.length === 0);
    const read = isRead ? model.read(pixels) : null;
    const best = read ? read.probabilities.indexOf(Math.max(...read.probabilities)) : null;
    bars.forEach(({ row, bar, share }, digit) => {
      const p = read ? read.probabilities[digit] : 0;
      bar.style.setProperty("--share", p);
      share.textContent = read ? percent(p) : "";
      row.classList.toggle("is-best", digit === best);
    });
    if (!model) return;
    say(read ? `This is ${named(best)}, with ${sureness(read.probabilities[best])}.` : "Nothing is drawn yet.");
    if (!read) return;
    showNearest(pixels);
    // Many pictures: once the stroke is done.
    if (!drawing) showChannels(read.first);
  }

  const named = (digit) => (Number(digit) === 8 ? "an 8" : `a ${digit}`);
  const sureness = (p) => (p > 0.9995 ? "over 99.9\u00a0%" : percent(p));
  const percent = (p) => (100 * p).toFixed(1) + "\u00a0%";

  // The digits that differ least, by the sum of the squared differences of pixels.
  function nearest(pixels, count) {
    const all = learnt.map((digit) => {
      let distance = 0;
      for (let place = 0; place < pixels.length; place += 1) {
        const difference = pixels[place] - digit.pixels[place];
        distance += difference * difference;
      }
      return { digit, distance: Math.sqrt(distance) / 255 };
    });
    return all.sort((a, b) => a.distance - b.distance).slice(0, count);
  }

  function showNearest(pixels) {
    const list = part("nearest-pictures");
    if (!list) return;
    list.replaceChildren(...nearest(pixels, 5).map(({ digit, distance }) => {
      const item = element("li");
      item.append(
        picture(digit.pixels, `Training image ${digit.number}`),
        element("span", named(digit.label), "label"),
        element("span", `differs by ${distance.toFixed(1)}`, "meta"));
      return item;
    }));
  }

  // Each filter's answer less that to paper, against its own largest: paper is half dark. At the edge
  // the zeros around the image are no paper.
  function showChannels(networks) {
    part("channel-pictures").replaceChildren(...networks.flatMap((images, index) => {
      const size = images.side ** 2;
      const list = element("div", undefined, "channels");
      for (let channel = 0; channel < images.channels; channel += 1) {
        const values = images.values.subarray(channel * size, (channel + 1) * size);
        const paper = values[images.padding * (images.side + 1)];
        const largest = values.reduce((most, v) => Math.max(most, Math.abs(v - paper)), 1e-9);
        list.append(picture(
          Uint8Array.from(values, (v) => 110 + Math.round(110 * (v - paper) / largest)),
          `Network ${index + 1}, filter ${channel + 1}`));
      }
      return [
        element("h3", `Network ${index + 1}: ${images.channels} filters, ${images.side} × ${images.side} pixels`),
        list,
      ];
    }));
  }

  function showMistakes(mistakes) {
    const list = part("mistake-pictures");
    if (!list || mistakes.length === 0) return;
    part("mistakes").hidden = false;
    list.replaceChildren(...mistakes.map((digit) => {
      const button = element("button");
      button.type = "button";
      const image = picture(digit.pixels, `Test image ${digit.number}`);
      button.append(image, element("span", named(digit.label), "label"),
        element("span", `read as ${digit.read}`, "meta"));
      button.addEventListener("click", () => {
        strokes = [];
        clear();
        pattern = image;
        change();
        sheet.scrollIntoView({ block: "center" });
        sheet.focus({ preventScroll: true });
      });
      const item = element("li");
      item.append(button);
      return item;
    }));
  }

  // MARK: The pen

  // Takes the strokes away, and the picture under them where there are none.
  function clear() {
    if (strokes.length === 0) pattern = null;
    strokes = [];
    drawing = null;
    nib.isDown = false;
    change();
  }

  function undo() {
    strokes.pop();
    drawing = null;
    nib.isDown = false;
    change();
  }

  function point(event) {
    const box = sheet.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [
      within((event.clientX - box.left - sheet.clientLeft) / sheet.clientWidth),
      within((event.clientY - box.top - sheet.clientTop) / sheet.clientHeight),
    ];
  }

  sheet.addEventListener("pointerdown", (event) => {
    if (drawing || event.button !== 0) return;
    event.preventDefault();
    sheet.focus({ preventScroll: true });
    try {
      sheet.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already; what it drew still counts.
    }
    nib.isShown = false;
    nib.isDown = false;
    drawing = { pointer: event.pointerId, stroke: [point(event)] };
    strokes.push(drawing.stroke);
    change();
  });

  sheet.addEventListener("pointermove", (event) => {
    if (drawing?.pointer !== event.pointerId) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const part of events.length > 0 ? events : [event]) drawing.stroke.push(point(part));
    change();
  });

  // On the window: a pointer that could not be captured may be let go beside the sheet.
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, (event) => {
      if (drawing?.pointer !== event.pointerId) return;
      drawing = null;
      change();
    });
  }

  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  sheet.addEventListener("keydown", (event) => {
    if (event.altKey || (event.ctrlKey || event.metaKey) && event.key !== "z") return;
    if (moves[event.key]) {
      const [x, y] = moves[event.key];
      const length = event.shiftKey ? 0.01 : 0.04;
      nib.x = Math.min(0.97, Math.max(0.03, nib.x + x * length));
      nib.y = Math.min(0.97, Math.max(0.03, nib.y + y * length));
      nib.isShown = true;
      if (nib.isDown) strokes.at(-1).push([nib.x, nib.y]);
    } else if (event.key === " ") {
      nib.isShown = true;
      nib.isDown = !nib.isDown;
      if (nib.isDown) strokes.push([[nib.x, nib.y]]);
    } else if (event.key === "Backspace" || event.key === "z" && (event.ctrlKey || event.metaKey)) {
      undo();
    } else if (event.key === "Delete") {
      clear();
    } else {
      return;
    }
    event.preventDefault();
    change();
  });

  sheet.addEventListener("blur", () => {
    nib.isShown = false;
    nib.isDown = false;
    showSheet();
  });

  part("undo").addEventListener("click", undo);
  part("clear").addEventListener("click", clear);
  document.querySelector(".desk").hidden = false;
  part("answer").textContent = "The weights are being read.";
  showSheet();
  if (document.readyState === "complete") start();
  else addEventListener("load", () => setTimeout(start));
})();
