"use strict";
// Everything shown is on the page without this script; it links the two columns, explains swaps beside them, and
// writes decisions. Text is only ever moved as nodes or textContent.
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const data = JSON.parse($("data").textContent);
  const marks = all("#text a"), own = $("own"), other = $("other"), text = $("text"), restored = $("restored");
  const card = $("card"), references = all(".reference");
  const sentences = all(".s", text);
  let now = -1, chosen = 0, decided = -1, asked = "", changed = false, leaving = 0, quiet = 0;

  document.documentElement.classList.add("scripts");
  for (const element of all(".scripted:not(aside)")) element.hidden = false;
  // One stop for the tab key; j and k, or the arrows in the tool bar, go from swap to swap.
  marks.forEach((mark, i) => { mark.tabIndex = i ? -1 : 0; });

  const bar = document.querySelector(".bar");
  new ResizeObserver(() => document.documentElement.style.setProperty("--bar", bar.offsetHeight + "px")).observe(bar);

  const say = (words) => { $("status").textContent = words; };
  const isShown = (mark) => !mark.firstChild.classList.contains("off");
  const press = (button, on) => button.setAttribute("aria-pressed", String(on));
  const isPressed = (button) => Boolean(button) && button.getAttribute("aria-pressed") === "true";

  // --- the columns beside each other

  const sides = references.map((reference) => ({
    reference,
    sentences: all(".s", reference),
    partners: reference.dataset.pairs ? reference.dataset.pairs.split(" ").map(Number) : [],
    same: reference.dataset.same ? reference.dataset.same.split(" ").map(Number) : [],
  }));

  function findAt(list, y) {
    let low = 0, high = list.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (list[middle].getBoundingClientRect().top <= y) low = middle; else high = middle - 1;
    }
    return low;
  }

  // The nearest sentence at or before `at`, else after it, that has a partner: [it, its partner].
  function findPair(at, partnerOf, count) {
    for (let step = 0; step < count; step++) {
      for (const i of step ? [at - step, at + step] : [at]) {
        if (i >= 0 && i < count && partnerOf(i) >= 0) return [i, partnerOf(i)];
      }
    }
    return null;
  }

  function follow(from, to, list, others, partnerOf) {
    if (!list.length) return;
    const top = from.getBoundingClientRect().top;
    const pair = findPair(findAt(list, top + from.clientHeight * 0.25), partnerOf, list.length);
    if (!pair || !others[pair[1]]) return;
    const offset = list[pair[0]].getBoundingClientRect().top - top;
    quiet = performance.now() + 120;
    to.scrollTop += others[pair[1]].getBoundingClientRect().top - to.getBoundingClientRect().top - offset;
  }

  let waiting = false;
  function onScroll(run) {
    return () => {
      hideCard(true);
      if (waiting || performance.now() < quiet) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; run(); });
    };
  }

  function inverse(side) {
    side.back ??= side.partners.reduce((back, partner, i) => {
      if (partner >= 0 && back[partner] === undefined) back[partner] = i;
      return back;
    }, []);
    return side.back;
  }

  const followOwn = () => {
    if (text.hidden) return;
    const side = sides[chosen];
    follow(own, other, sentences, side.sentences, (i) => side.partners[i] ?? -1);
  };
  const followOther = () => {
    if (text.hidden) return;
    const side = sides[chosen];
    follow(other, own, side.sentences, sentences, (j) => inverse(side)[j] ?? -1);
  };

  function light(i, j) {
    for (const element of all(".here")) element.classList.remove("here");
    if (i >= 0) sentences[i].classList.add("here");
    if (j >= 0) sides[chosen].sentences[j]?.classList.add("here");
  }

  function onHover(event) {
    const sentence = event.target.closest?.(".s");
    if (!sentence || !sides.length) return light(-1, -1);
    const side = sides[chosen];
    const i = sentences.indexOf(sentence), j = i < 0 ? side.sentences.indexOf(sentence) : side.partners[i];
    const back = i < 0 ? inverse(side)[j] ?? -1 : i;
    return j >= 0 && back >= 0 ? light(back, j) : light(-1, -1);
  }

  function showSame() {
    for (const element of all(".s.same")) element.classList.remove("same");
    if (!isPressed($("same"))) return;
    const side = sides[chosen];
    for (const i of side.same) {
      sentences[i].classList.add("same");
      side.sentences[side.partners[i]]?.classList.add("same");
    }
  }

  function choose(k) {
    chosen = k;
    references.forEach((reference, i) => { reference.hidden = i !== k; });
    if (!$("choose")) return;
    $("choose").value = String(k);
    light(-1, -1);
    showSame();
    followOwn();
    say("Reference: " + $("choose").selectedOptions[0].textContent);
  }

  // --- swaps

  function showCard(i) {
    // What is asked for a moment later can be out of sight by then.
    const place = marks[i].getClientRects()[0];
    if (!place) return;
    const row = $("r" + (i + 1));
    const part = (name) => row.querySelector(name);
    card.replaceChildren();
    const add = (tag, className, ...children) => {
      const element = document.createElement(tag);
      if (className) element.className = className;
      element.append(...children);
      card.append(element);
      return element;
    };
    const copy = (node) => [...node.cloneNode(true).childNodes];
    add("p", "swap", ...copy(part(".wording")), " ← ", ...copy(part(".stood-there")));
    const why = document.createElement("span");
    why.append($("w" + (i + 1)).textContent);
    add("p", "", why);
    const quote = part(".why q");
    if (quote) card.append(quote.cloneNode(true));
    add("p", "soft", ...copy(part(".kind")), " · " + part(".sure").textContent + " sure");
    if (part(".decided").textContent.trim()) add("p", "", ...copy(part(".decided")));
    const buttons = add("p", "buttons");
    for (const [value, label] of [["dismissed", "Dismiss (d)"], ["confirmed", "Confirm (c)"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(label);
      button.addEventListener("click", () => decide(i + 1, value));
      buttons.append(button);
    }
    card.hidden = false;
    const size = card.getBoundingClientRect();
    const below = place.bottom + 6, above = place.top - size.height - 6;
    card.style.top = Math.max(4, below + size.height < innerHeight || above < 4 ? below : above) + "px";
    card.style.left = Math.max(4, Math.min(place.left, innerWidth - size.width - 12)) + "px";
  }

  function hideCard(atOnce) {
    clearTimeout(leaving);
    if (atOnce) card.hidden = true; else leaving = setTimeout(() => { card.hidden = true; }, 300);
  }

  function go(i, focus = true) {
    if (!marks[i]) return;
    if (marks[now]) { marks[now].classList.remove("now"); marks[now].tabIndex = -1; }
    now = i;
    marks[i].classList.add("now");
    marks[i].tabIndex = 0;
    $("place").textContent = `${i + 1} of ${marks.length}`;
    const shows = references.findIndex((r) => r.querySelector(`.stood[data-of~="${i + 1}"]`));
    if (shows >= 0 && shows !== chosen && !references[chosen].querySelector(`.stood[data-of~="${i + 1}"]`)) choose(shows);
    if (focus) marks[i].focus({ preventScroll: true });
    const box = marks[i].getBoundingClientRect(), pane = own.getBoundingClientRect();
    if (own.scrollHeight > own.clientHeight && (box.top < pane.top + 20 || box.bottom > pane.bottom - 60)) {
      own.scrollTop += box.top - pane.top - own.clientHeight * 0.3;
    }
    if (pane.top < bar.getBoundingClientRect().bottom - 1 || pane.bottom > innerHeight) own.scrollIntoView();
    if (sides.length) { followOwn(); const s = sentences.indexOf(marks[i].closest(".s")); light(s, sides[chosen].partners[s] ?? -1); }
    // The scrolling just asked for is reported later and must not close the card.
    requestAnimationFrame(() => requestAnimationFrame(() => { if (now === i) showCard(i); }));
  }

  function step(direction) {
    if (text.hidden) toggleRestored();
    for (let i = now + direction, count = 0; count < marks.length; count++, i += direction) {
      const at = (i + marks.length) % marks.length;
      if (isShown(marks[at])) return go(at);
    }
    say("No swap is shown");
  }

  function applyKinds() {
    const off = new Set(all(".kind[aria-pressed=false]").map((button) => button.dataset.kind));
    const unsure = $("unsure") && !isPressed($("unsure"));
    for (const mark of marks) {
      const classes = mark.firstChild.classList;
      classes.toggle("off", off.has(classes[0]) || (unsure && classes.contains("unsure")));
    }
    hideCard(true);
  }

  function toggle(button, apply) {
    if (!button) return;
    press(button, !isPressed(button));
    apply();
  }

  function toggleRestored() {
    const button = $("restore");
    if (!button) return;
    const on = !isPressed(button);
    press(button, on);
    text.hidden = on;
    restored.hidden = !on;
    hideCard(true);
    say(on ? "Restored article" : "Article as it is");
  }

  // --- decisions: number 0 is the article, others are swaps

  const made = data.decisions;

  function decide(number, value) {
    decided = number;
    const old = made[number];
    $("decide-what").textContent = number ? "The wording “" + data.spans[number - 1].text.replace(/[^ -~\u00a0-\u024f\u2010-\u2027]/g, " ") + "”"
      : "The article as a whole: dismissed it counts as clean, confirmed as spun.";
    $("reason").value = old ? old.reason : "";
    $("by").value = old?.by || $("by").value;
    $("undo").hidden = !old;
    // The enter key presses the first: the one that was asked for; where none was, it presses none.
    const buttons = { dismissed: all("#form button[value=dismissed]")[0], confirmed: all("#form button[value=confirmed]")[0] };
    if (value === "confirmed") buttons.dismissed.before(buttons.confirmed); else buttons.confirmed.before(buttons.dismissed);
    asked = value;
    hideCard(true);
    $("decide").showModal();
    $("reason").focus();
  }

  function record(value) {
    made[decided] = value ? { decision: value, reason: $("reason").value.trim(), by: $("by").value.trim(), at: new Date().toISOString() } : null;
    changed = true;
    show(decided);
    $("download").disabled = false;
    $("decide").close();
    say(value ? (decided ? "Swap " + decided : "The article") + " " + value : "Decision taken back");
    if (decided && now === decided - 1) go(now);
  }

  function show(number) {
    const cell = $("d" + number), decision = made[number];
    cell.replaceChildren();
    if (decision) {
      const word = document.createElement("strong");
      word.append(decision.decision);
      cell.append(word, decision.by ? " by " + decision.by : "", decision.reason ? ": " + decision.reason : "");
      if (!number) cell.append(" (score the article again with the downloaded file to have it applied)");
    }
    if (!number) return;
    for (const value of ["dismissed", "confirmed"]) {
      marks[number - 1].firstChild.classList.toggle(value, decision?.decision === value);
      $("r" + number).classList.toggle(value, decision?.decision === value);
    }
  }

  function download() {
    const decisions = Object.entries(made).filter(([, decision]) => decision).map(([number, decision]) => ({
      digest: data.digest, article: data.article, source: data.source,
      span: number === "0" ? null : data.spans[number - 1], ...decision,
    }));
    const file = JSON.stringify({ format: data.format, version: data.version, decisions }, null, 1) + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file], { type: "application/json" }));
    link.download = data.article.replace(/^.*[\\/]/, "").replace(/[^\w.-]+/g, "-").slice(0, 80) + ".decisions.json";
    link.click();
    URL.revokeObjectURL(link.href);
    changed = false;
    say(decisions.length + " decisions downloaded");
  }

  // --- what happens when

  text.addEventListener("mouseover", (event) => {
    const mark = event.target.closest("a");
    if (mark && isShown(mark)) { clearTimeout(leaving); showCard(marks.indexOf(mark)); }
  });
  text.addEventListener("mouseout", (event) => { if (event.target.closest("a")) hideCard(false); });
  card.addEventListener("mouseenter", () => clearTimeout(leaving));
  card.addEventListener("mouseleave", () => hideCard(false));
  text.addEventListener("click", (event) => {
    const mark = event.target.closest("a");
    if (mark) { event.preventDefault(); if (isShown(mark)) go(marks.indexOf(mark)); }
  });
  text.addEventListener("focusin", (event) => {
    const i = marks.indexOf(event.target.closest("a"));
    if (i >= 0 && i !== now && isShown(marks[i])) go(i, false);
  });
  $("rows")?.addEventListener("click", (event) => {
    const link = event.target.closest("td.number a");
    if (link) { event.preventDefault(); go(Number(link.textContent) - 1); }
  });
  $("previous")?.addEventListener("click", () => step(-1));
  $("next")?.addEventListener("click", () => step(1));
  for (const button of all(".kind")) button.addEventListener("click", () => toggle(button, applyKinds));
  $("unsure")?.addEventListener("click", (event) => toggle(event.currentTarget, applyKinds));
  $("same")?.addEventListener("click", (event) => toggle(event.currentTarget, showSame));
  $("restore")?.addEventListener("click", toggleRestored);
  $("choose")?.addEventListener("change", (event) => choose(Number(event.currentTarget.value)));
  $("whole").addEventListener("click", () => decide(0, ""));
  $("download").addEventListener("click", download);
  $("help").addEventListener("click", () => $("keys").showModal());
  $("cancel").addEventListener("click", () => $("decide").close());
  $("form").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !asked && event.target.matches("input")) event.preventDefault();
  });
  $("form").addEventListener("submit", (event) => { event.preventDefault(); record(event.submitter?.value ?? ""); });
  $("decide").addEventListener("close", () => { if (decided > 0) marks[decided - 1]?.focus(); });
  $("keys").addEventListener("submit", (event) => { event.preventDefault(); $("keys").close(); });
  if (sides.length) {
    own.addEventListener("scroll", onScroll(followOwn), { passive: true });
    other.addEventListener("scroll", onScroll(followOther), { passive: true });
    own.addEventListener("mouseover", onHover);
    other.addEventListener("mouseover", onHover);
  } else {
    own.addEventListener("scroll", () => hideCard(true), { passive: true });
  }
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });

  const canDecide = () => now >= 0 && !text.hidden && isShown(marks[now]);
  const keys = {
    j: () => step(1), n: () => step(1), k: () => step(-1), p: () => step(-1),
    d: () => { if (canDecide()) decide(now + 1, "dismissed"); }, c: () => { if (canDecide()) decide(now + 1, "confirmed"); },
    a: () => decide(0, ""), o: toggleRestored, "?": () => $("keys").showModal(),
    r: () => { if (sides.length > 1) choose((chosen + 1) % sides.length); },
    w: () => toggle($("same"), showSame), l: () => toggle($("unsure"), applyKinds), Escape: () => hideCard(true),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches?.("input, select, textarea") || (!$("single").checked && event.key !== "Escape")) return;
    const kind = /^[1-6]$/.test(event.key) ? all(".kind")[event.key - 1] : null;
    const run = kind ? () => toggle(kind, applyKinds) : keys[event.key];
    if (run && Object.hasOwn(keys, event.key) || kind) { event.preventDefault(); run(); }
  });
  if (Object.values(made).some(Boolean)) $("download").disabled = false;
})();
