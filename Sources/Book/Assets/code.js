// The code beside the text: on a wide screen one excerpt at a time stands in the column on the right,
// that of the passage in view; on a narrow one each stays below its passage. And a button to copy.
"use strict";
(() => {
  const aside = document.querySelector(".beside");
  const toc = aside?.querySelector(".toc");
  const wide = matchMedia("screen and (min-width: 76rem)");
  const headings = [...document.querySelectorAll("article > h2, article > h3, .evidence > h2")];

  // Each excerpt with the line that stays in the text when it has moved beside it.
  const excerpts = [...document.querySelectorAll("article .excerpt")].map((element) => {
    const mark = document.createElement("p");
    mark.className = "excerpt-mark";
    const link = document.createElement("a");
    link.href = "#" + element.id;
    const lines = element.querySelector(".lines");
    link.textContent = element.querySelector("figcaption a").textContent
      + (lines ? ", lines " + lines.textContent : "");
    mark.append(link);
    element.before(mark);
    link.addEventListener("click", (event) => {
      if (!wide.matches) return;
      event.preventDefault();
      show(excerpt);
      pinned = scrollY;
      element.querySelector("pre").focus({ preventScroll: true });
    });
    const excerpt = { element, mark, link, part: 0 };
    return excerpt;
  });

  // The scroll position at which a reader asked for an excerpt; it stays until the text has moved on.
  let pinned = null;
  let current = null;

  function place() {
    for (const { element, mark } of excerpts) {
      if (wide.matches) aside.append(element);
      else {
        element.hidden = false;
        mark.after(element);
      }
    }
    if (toc) toc.hidden = false;
    current = null;
    follow();
  }

  function show(excerpt) {
    if (excerpt === current) return;
    current = excerpt;
    for (const other of excerpts) {
      other.element.hidden = other !== excerpt;
      if (other === excerpt) other.link.setAttribute("aria-current", "true");
      else other.link.removeAttribute("aria-current");
    }
    if (toc) toc.hidden = Boolean(excerpt);
  }

  // The heading under which the reader is, and among the excerpts of its part the last whose place
  // has come into the upper two thirds of the window; before that, the first.
  function follow() {
    const line = innerHeight * 0.3;
    let part = -1;
    headings.forEach((heading, index) => {
      if (heading.getBoundingClientRect().top <= line) part = index;
    });
    for (const link of toc?.querySelectorAll("a") ?? []) {
      if (part >= 0 && link.hash === "#" + headings[part].id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    if (!wide.matches || excerpts.length === 0) return;
    if (pinned !== null && Math.abs(scrollY - pinned) < innerHeight * 0.5) return;
    pinned = null;
    const top = (element) => element.getBoundingClientRect().top;
    const from = part < 0 ? -Infinity : top(headings[part]);
    const to = part + 1 < headings.length ? top(headings[part + 1]) : Infinity;
    const own = excerpts.filter(({ mark }) => top(mark) >= from && top(mark) < to);
    const passed = own.filter(({ mark }) => top(mark) < innerHeight * 0.66);
    show(passed.at(-1) ?? own[0]);
  }

  if (aside) {
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        follow();
      });
    }, { passive: true });
    addEventListener("resize", follow);
    wide.addEventListener("change", place);
    // Paper has one column.
    addEventListener("beforeprint", () => {
      for (const { element, mark } of excerpts) {
        element.hidden = false;
        mark.after(element);
      }
    });
    addEventListener("afterprint", place);
    place();
    const target = excerpts.find(({ element }) => "#" + element.id === location.hash);
    if (target) {
      if (wide.matches) target.mark.scrollIntoView({ block: "center" });
      show(target);
      pinned = scrollY;
    }
  }

  for (const block of document.querySelectorAll(".code")) {
    const button = document.createElement("button");
    button.className = "copy";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const text = block.querySelector("code").textContent;
      button.textContent = await copy(text) ? "Copied" : "Not copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    block.append(button);
  }

  // A page from the disk may be refused the clipboard; the older way then still works.
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.style.position = "fixed";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }
})();
