// What only served pages have: they reload when the book is made anew, say why it cannot be, and run
// their chapter quickly when they are asked to.
"use strict";
(() => {
  const version = Number(document.currentScript.dataset.version);
  const chapter = document.body?.classList.contains("chapter")
    && document.querySelector("article .title .number")?.textContent;

  // Beside what the page has, so that its own layout stays.
  const bar = document.createElement("div");
  bar.className = "serve";
  const complaint = document.createElement("p");
  complaint.setAttribute("role", "alert");
  complaint.hidden = true;
  bar.append(complaint);
  document.body.append(bar);

  function complain(words) {
    complaint.hidden = !words;
    complaint.textContent = words ?? "";
  }

  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const seen = () => new Promise((done) => {
    if (!document.hidden) return done();
    document.addEventListener("visibilitychange", () => done(), { once: true });
  });

  // One question at a time, answered when there is something new; a page that is not seen asks
  // nothing, for a browser has few connections to a server.
  async function follow() {
    // The first answer comes at once: the book may be one that cannot be made anew.
    let known = -1;
    let isGone = false;
    for (;;) {
      await seen();
      let state;
      try {
        const answer = await fetch("/.lab/state?after=" + known);
        state = await answer.json();
      } catch {
        complain("The book is served no more: lab serve has ended.");
        isGone = true;
        await pause(1000);
        known = -1;
        continue;
      }
      // One that is started again counts from the beginning: it has no page until its book is made,
      // and then one that is new.
      if (state.version === 0) {
        known = 0;
        continue;
      }
      if ((isGone || state.version !== version) && !state.complaint) {
        location.reload();
        return;
      }
      known = state.version;
      complain(state.complaint);
    }
  }
  follow();

  if (!chapter) return;
  const button = document.createElement("button");
  button.type = "button";
  button.title = "lab chapter " + chapter + " --quick, by the program as it was built";
  const notice = document.createElement("p");
  notice.setAttribute("role", "status");
  notice.hidden = true;
  bar.append(notice, button);
  const result = document.createElement("section");
  result.className = "serve-run";
  result.setAttribute("aria-label", "A quick run");
  result.hidden = true;
  const age = document.createElement("p");
  age.textContent = "A save has come since this run began.";
  const words = document.createElement("pre");
  words.tabIndex = 0;
  result.append(age, words);
  document.querySelector("article").append(result);

  function show(state) {
    button.disabled = state.isUnderWay;
    if (state.words !== undefined) {
      words.textContent = state.words;
      result.dataset.holds = state.holds;
      age.hidden = state.version === undefined || state.version === version;
      result.hidden = false;
    }
    button.textContent = state.isUnderWay ? "Running " + chapter + " …"
      : "Run " + chapter + (result.hidden ? " quickly" : " again");
  }

  function notify(text) {
    notice.hidden = !text;
    notice.textContent = text;
  }

  // The server keeps what a run says, and this page, or the one that it becomes by a reload, asks for
  // it until there is an end.
  // Only the newest question's answers are shown: that of a page's opening may come after a click's.
  let newest = 0;
  async function followRun(known) {
    const mine = ++newest;
    for (;;) {
      const answer = await fetch("/.lab/quick?chapter=" + chapter + "&after=" + known);
      const state = await answer.json();
      if (mine !== newest) return;
      show(state);
      if (!state.isUnderWay) return;
      known = state.number;
    }
  }

  function say(text) {
    show({ isUnderWay: false, words: text, holds: false });
    result.scrollIntoView({ block: "nearest" });
  }

  const gone = "The book is served no more: lab serve has ended.";
  show({ isUnderWay: false });
  // A number that no state has: the first answer comes at once.
  // That the server is gone is told above; what is on the page stays, and no run is awaited.
  followRun(-1).catch(() => show({ isUnderWay: false }));
  button.addEventListener("click", async () => {
    notify("");
    newest += 1;
    try {
      const path = "/.lab/quick?chapter=" + chapter;
      let answer = await fetch(path, { method: "POST" });
      let refusal = "";
      if (answer.status === 409) {
        // Begun in another window: a run of this chapter is followed here too.
        refusal = await answer.text();
        answer = await fetch(path);
      }
      if (!answer.ok) return say(await answer.text());
      const state = await answer.json();
      show(state);
      if (refusal && !state.isUnderWay) return notify(refusal);
      await followRun(state.number);
      result.scrollIntoView({ block: "nearest" });
    } catch {
      say(gone);
    }
  });
})();
