// The search over all pages. Its index is a script that is loaded when somebody first searches: from
// the disk a page may load a script, and may fetch nothing.
"use strict";
(() => {
  const form = document.querySelector(".search");
  const input = document.getElementById("search");
  const found = document.getElementById("found");
  const status = document.getElementById("found-status");
  if (!form || !input || !found || !status) return;
  const way = form.dataset.way;
  let index;

  function load() {
    index ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = way + "search-index.js";
      script.onload = () => resolve(prepared(window.labSearchIndex));
      script.onerror = reject;
      document.head.append(script);
    });
    return index;
  }

  const folded = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");

  function prepared(pages) {
    return pages.flatMap((page) => page.sections.map(([anchor, title, text]) => ({
      page, anchor, title, text, isCode: page.address.startsWith("code/"),
      foldedTitle: folded(page.title + " " + title), foldedText: folded(text),
    })));
  }

  // Every word must begin a word of the part: in its title it counts more than in its text.
  function score(part, words) {
    let total = 0;
    for (const word of words) {
      const title = position(part.foldedTitle, word);
      const text = position(part.foldedText, word);
      if (title < 0 && text < 0) return 0;
      total += (title >= 0 ? 12 : 0) + (text >= 0 ? 3 + count(part.foldedText, word) : 0);
    }
    return part.isCode ? total / 4 : total;
  }

  const isWord = (character) => character !== undefined && /[\p{L}\p{N}]/u.test(character);

  function position(text, word, from = 0) {
    let place = text.indexOf(word, from);
    while (place > 0 && isWord(text[place - 1])) place = text.indexOf(word, place + 1);
    return place;
  }

  function count(text, word) {
    let total = 0;
    for (let place = position(text, word); place >= 0 && total < 8;
      place = position(text, word, place + word.length)) total += 1;
    return total;
  }

  // The words around the first that was found, with all that were found marked.
  function excerpt(part, words) {
    const places = words.map((word) => position(part.foldedText, word)).filter((place) => place >= 0);
    const start = Math.max(0, Math.min(...places, part.text.length) - 60);
    const from = start === 0 ? 0 : part.text.indexOf(" ", start) + 1;
    const text = part.text.slice(from, from + 190);
    const result = document.createElement("span");
    result.className = "words";
    if (from > 0) result.append("… ");
    // Letters that fold to several would shift the marks; the text is then shown without.
    const plain = folded(text);
    let place = 0;
    if (plain.length === text.length) {
      for (;;) {
        const next = words.map((word) => [position(plain, word, place), word.length])
          .filter(([at]) => at >= 0).sort((a, b) => a[0] - b[0])[0];
        if (!next) break;
        result.append(text.slice(place, next[0]));
        const mark = document.createElement("mark");
        mark.textContent = text.slice(next[0], next[0] + next[1]);
        result.append(mark);
        place = next[0] + next[1];
      }
    }
    result.append(text.slice(place) + (from + 190 < part.text.length ? " …" : ""));
    return result;
  }

  async function search() {
    if (!input.value.trim()) return close();
    let parts;
    try {
      parts = await load();
    } catch {
      return say("The index of the search cannot be read; make the book anew.");
    }
    // What stands in the box now, and not before the index came.
    const words = folded(input.value).split(/[^\p{L}\p{N}_.]+/u).filter(Boolean);
    if (words.length === 0) return close();
    const hits = parts.map((part) => ({ part, score: score(part, words) }))
      .filter((hit) => hit.score > 0).sort((a, b) => b.score - a.score).slice(0, 30);
    if (hits.length === 0) return say("Nothing was found.");
    const list = document.createElement("ol");
    for (const { part } of hits) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = way + part.page.address + (part.anchor ? "#" + part.anchor : "");
      const title = document.createElement("b");
      title.textContent = part.page.title;
      link.append(title);
      if (part.title) link.append(" · " + part.title);
      link.append(excerpt(part, words));
      item.append(link);
      list.append(item);
    }
    found.replaceChildren(list);
    found.hidden = false;
    status.textContent = hits.length + (hits.length === 1 ? " part was found." : " parts were found.");
  }

  function say(words) {
    const line = document.createElement("p");
    line.textContent = words;
    found.replaceChildren(line);
    found.hidden = false;
    status.textContent = words;
  }

  function close() {
    found.hidden = true;
    found.replaceChildren();
    status.textContent = "";
  }

  input.addEventListener("focus", () => load().catch(() => {}));
  input.addEventListener("input", search);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    found.querySelector("a")?.click();
  });
  addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      input.focus();
      input.select();
    }
    if (found.hidden) return;
    if (event.key === "Escape") {
      close();
      input.focus();
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const links = [input, ...found.querySelectorAll("a")];
      const at = links.indexOf(document.activeElement);
      if (at < 0) return;
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : links.length - 1;
      links[(at + step) % links.length].focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!found.contains(event.target) && !form.contains(event.target)) close();
    if (event.target.closest?.("#found a")) close();
  });
})();
