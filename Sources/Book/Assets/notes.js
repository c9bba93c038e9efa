// What is bound says what it is bound to: a number its value, tolerance and run, a claim its
// comparison. Without this script a number leads to its row at the end of the page.
"use strict";
(() => {
  const marks = [...document.querySelectorAll("a.bound, a.claim-mark")];
  if (marks.length === 0) return;
  const note = document.createElement("div");
  note.id = "note";
  note.setAttribute("role", "tooltip");
  note.hidden = true;
  document.body.append(note);
  let owner = null;
  let isHeld = false;
  let timer;

  const element = (name, text, style) => {
    const result = document.createElement(name);
    if (text !== undefined) result.textContent = text;
    if (style) result.className = style;
    return result;
  };

  // Pairs of words as a list of terms; what is empty is left out.
  function list(pairs) {
    const result = element("dl");
    for (const [term, words] of pairs) {
      if (!words) continue;
      result.append(element("dt", term), element("dd", words));
    }
    return result;
  }

  function number(mark) {
    const row = document.getElementById(decodeURIComponent(mark.hash.slice(1)));
    if (!row) return [];
    const [name, value, unit, tolerance, deviation, source] =
      [...row.cells].map((cell) => cell.textContent.trim());
    const run = {};
    for (const part of document.querySelectorAll("#run > div")) {
      run[part.querySelector("dt").textContent] = part.querySelector("dd").textContent;
    }
    const pairs = [
      ["Value", value + (unit ? " " + unit : "")], ["Tolerance", tolerance],
      ["Deviation", deviation], ["Source", source],
    ];
    if (!source) {
      pairs.push(["Run on", run["Run on"]], ["Seed", run.Seed], ["Processor", run.Processor]);
    }
    const words = [element("p", name, "name"), list(pairs)];
    if (mark.classList.contains("differs")) {
      words.push(element("p", "The text and the run differ here.", "bad"));
    }
    return words;
  }

  function claim(mark) {
    const item = document.getElementById(mark.hash.slice(1));
    if (!item) return [];
    return [...item.querySelectorAll("p:not(.sentence)")].map((part) => part.cloneNode(true));
  }

  function show(mark) {
    clearTimeout(timer);
    if (owner === mark) return;
    hide();
    const words = mark.classList.contains("bound") ? number(mark) : claim(mark);
    if (words.length === 0) return;
    owner = mark;
    note.replaceChildren(...words);
    note.hidden = false;
    mark.setAttribute("aria-describedby", "note");
    mark.classList.add("is-open");
    // Below the number, or above it where there is no room; never beyond the window's sides.
    const box = mark.getBoundingClientRect();
    const size = note.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const left = Math.min(Math.max(8, box.left - 12), width - size.width - 8);
    const isBelow = box.bottom + size.height + 12 < innerHeight || box.top < size.height + 64;
    note.style.left = left + scrollX + "px";
    note.style.top = (isBelow ? box.bottom + 6 : box.top - size.height - 6) + scrollY + "px";
  }

  function hide() {
    clearTimeout(timer);
    isHeld = false;
    note.hidden = true;
    owner?.removeAttribute("aria-describedby");
    owner?.classList.remove("is-open");
    owner = null;
  }

  const leave = () => {
    if (isHeld) return;
    clearTimeout(timer);
    timer = setTimeout(hide, 180);
  };

  for (const mark of marks) {
    const area = mark.classList.contains("claim-mark") ? mark.closest(".claim") ?? mark : mark;
    area.addEventListener("mouseenter", () => show(mark));
    area.addEventListener("mouseleave", leave);
    mark.addEventListener("focus", () => show(mark));
    mark.addEventListener("blur", () => {
      isHeld = false;
      leave();
    });
    mark.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(mark);
      isHeld = true;
    });
  }
  note.addEventListener("mouseenter", () => clearTimeout(timer));
  note.addEventListener("mouseleave", leave);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && owner) hide();
  });
  document.addEventListener("click", (event) => {
    if (owner && !note.contains(event.target) && !owner.contains(event.target)) hide();
  });
  addEventListener("resize", hide);
})();
