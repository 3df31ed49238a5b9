// Explore: an answer shows the next pair at once, and is sent in the background, one after another.
import { announce, csrf, setCsrf, setRing, toast } from "./app.js";

const SAID = { left: "Left preferred.", right: "Right preferred.", tie: "A tie.", both_bad: "Both bad.", skip: "Skipped." };
const KEYS = {
  1: "left", ArrowLeft: "left", 2: "right", ArrowRight: "right", 3: "skip", " ": "skip", 4: "tie", 5: "both_bad",
};
const SETTLE_MS = 150; // an answer so soon after a new pair appeared was meant for the one before
const DOUBLE_CLICK_MS = 400;
const RETRIES_MS = [300, 1000, 2500];

const form = document.getElementById("pair");
const trouble = document.getElementById("trouble");
const answers = document.getElementById("answers");
const undoButton = document.querySelector("[data-undo]");
const queue = JSON.parse(document.getElementById("pairs").textContent);
const known = new Set(queue.map((pair) => pair.id)); // offered, shown or answered here: never shown twice
const outbox = [];
const needed = Number(document.querySelector("[data-ring]").dataset.needed);
let current = null;
let shownAt = 0;
let sending = null;
let exhausted = false;

function preload(pair) {
  for (const image of [pair.left, pair.right]) {
    const element = new Image();
    element.src = image.src;
    element.decode?.().catch(() => {});
  }
}

function paint(button, image, name) {
  const old = button.querySelector("img");
  const next = new Image(image.width, image.height); // a new element: the old picture never lingers
  Object.assign(next, { src: image.src, alt: image.alt, draggable: false });
  if (image.safety) next.dataset.safety = image.safety;
  old.replaceWith(next);
  button.querySelector(".words").textContent = image.prompt || "No prompt is known for this image.";
  button.setAttribute("aria-label", `${name}: ${image.alt}`);
}

function show() {
  current = queue.shift() ?? null;
  const waiting = !current && (sending || outbox.length > 0) && !exhausted;
  form.hidden = !current;
  answers.hidden = !current && !undoButton.matches(":not([disabled])");
  document.getElementById("done").hidden = Boolean(current) || waiting;
  if (!current) return;
  const [left, right] = form.querySelectorAll(".pick");
  paint(left, current.left, "Left");
  paint(right, current.right, "Right");
  for (const pick of [left, right]) pick.classList.remove("chosen", "passed");
  form.querySelector(".reveal").checked = false;
  form.elements.pair_id.value = current.id;
  form.elements.offer.value = current.offer;
  form.dataset.pair = current.id;
  form.classList.remove("entering");
  void form.offsetWidth; // restarts the animation
  form.classList.add("entering");
  shownAt = performance.now();
}

function take(pairs) {
  for (const pair of pairs) {
    if (known.has(pair.id)) continue;
    known.add(pair.id);
    queue.push(pair);
    preload(pair);
  }
  if (!current) show();
}

function say(text) {
  trouble.textContent = text;
  trouble.hidden = !text;
}

async function post(path, fields) {
  const response = await fetch(path, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRF-Token": csrf() },
    body: new URLSearchParams(fields),
    keepalive: true,
  });
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const error = new Error(body.detail ?? "The server could not save that.");
  error.final = response.status < 500 && response.status !== 429;
  throw error;
}

// A visitor is nobody until the first answer arrives; it brings along what else was shown.
function offers(item) {
  const waiting = outbox.map((other) => other.pair);
  return [item.pair, ...waiting, ...(current ? [current] : []), ...queue]
    .map((pair) => pair.offer)
    .filter((offer, place, all) => offer && all.indexOf(offer) === place);
}

function learn(reply) {
  setCsrf(reply.csrf_token);
  if (reply.rating_count !== undefined) setRing(reply.rating_count);
  if (reply.remaining) document.querySelector("[data-remaining]").textContent = reply.remaining;
  if (reply.standing !== undefined) document.querySelector("[data-standing]").textContent = reply.standing;
  exhausted = reply.exhausted ?? exhausted;
  undoButton.disabled = !reply.can_undo;
  if (reply.just_unlocked) toast("Personalization is unlocked.", { href: "/create?prompt=%20--p", label: "Paint with --p", seconds: 12 });
}

async function deliver(item) {
  for (const wait of [...RETRIES_MS, null]) {
    try {
      const reply = await post("/ratings", [
        ["pair_id", item.pair.id],
        ["answer", item.answer],
        ...offers(item).map((offer) => ["offer", offer]),
      ]);
      say("");
      learn(reply);
      if (item.announce) announce(`${SAID[item.answer]} ${reply.rating_count} of ${needed}.`);
      take(reply.pairs);
      return;
    } catch (error) {
      if (error.final) {
        say(error.message);
        return;
      }
      if (wait === null) throw error;
      say("That answer is not saved yet; trying again …");
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

async function drain() {
  while (outbox.length > 0) {
    try {
      await deliver(outbox[0]);
      outbox.shift();
    } catch {
      const unsent = outbox.splice(0).map((item) => item.pair);
      queue.unshift(...unsent, ...(current ? [current] : []));
      say(`The server cannot be reached. ${unsent.length === 1 ? "Your last answer was" : `Your last ${unsent.length} answers were`} not saved; here ${unsent.length === 1 ? "it is" : "they are"} again.`);
      show();
    }
  }
}

function send() {
  sending ??= drain().finally(() => {
    sending = null;
    if (!current) show();
  });
  return sending;
}

function answer(kind) {
  if (!current || performance.now() - shownAt < SETTLE_MS) return;
  for (const pick of form.querySelectorAll(".pick")) {
    if (kind === "left" || kind === "right") pick.classList.add(pick.dataset.answer === kind ? "chosen" : "passed");
  }
  outbox.push({ pair: current, answer: kind, announce: true });
  send();
  show();
}

async function undo() {
  if (undoButton.disabled) return;
  undoButton.disabled = true;
  await send();
  try {
    const reply = await post("/ratings/undo", {});
    learn(reply);
    if (!reply.pair) return;
    known.add(reply.pair.id);
    const rest = queue.filter((pair) => pair.id !== reply.pair.id);
    queue.length = 0;
    queue.push(reply.pair, ...(current && current.id !== reply.pair.id ? [current] : []), ...rest);
    show();
    announce(`Undone. ${reply.rating_count} of ${needed}.`);
  } catch (error) {
    undoButton.disabled = false;
    say(`Undo did not work: ${error.message}`);
  }
}

function togglePrompts(button) {
  const on = form.classList.toggle("with-prompts");
  button.setAttribute("aria-pressed", String(on));
}

if (form) {
  const promptsButton = document.querySelector("[data-prompts]");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-answer]");
    if (!button) return;
    event.preventDefault();
    if (event.detail > 0) button.blur(); // so that a space typed next skips instead of pressing it again
    const doubled = event.detail > 1 && performance.now() - shownAt < DOUBLE_CLICK_MS;
    if (!doubled) answer(button.dataset.answer);
  });
  document.getElementById("undo-form").addEventListener("submit", (event) => {
    event.preventDefault();
    undo();
  });
  promptsButton.addEventListener("click", () => togglePrompts(promptsButton));
  form.querySelector(".reveal").addEventListener("change", (event) => event.target.blur()); // keys answer again
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    if (event.key === " " && event.target.closest("button, a")) return;
    const kind = KEYS[event.key];
    if (kind || event.key === "u" || event.key === "i") event.preventDefault();
    if (event.repeat) return;
    if (kind) answer(kind);
    if (event.key === "u") undo();
    if (event.key === "i") togglePrompts(promptsButton);
  });
  queue.forEach(preload);
  current = queue.shift();
  shownAt = performance.now() - SETTLE_MS;
}
