// Live jobs: progress and previews over an event stream, over polling where a stream fails or would be one too many.
import { announce, toast } from "./app.js";

const STREAMS = 3; // browsers allow six connections to a server over HTTP/1.1, and pages need some
const POLL_MS = 2000;
const POLLED = 6;
const streams = new Map();
const FINAL = new Set(["done", "failed", "cancelled"]);

const running = (card) => Number(card.dataset.state === "running");
let turn = 0; // whose turn it is to be polled

// Jobs that are not over, those that run first.
function live() {
  return [...document.querySelectorAll("[data-job][data-live]")].sort((a, b) => running(b) - running(a));
}

async function refresh(card) {
  const response = await fetch(`/jobs/${card.dataset.job}/card`, { headers: { "HX-Request": "true" } });
  if (!response.ok || !card.isConnected) return;
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  const fresh = holder.content.firstElementChild;
  const focused = card.contains(document.activeElement);
  card.replaceWith(fresh);
  window.htmx?.process(fresh);
  if (focused) fresh.querySelector("a, button")?.focus();
  const ended = fresh.dataset.state;
  if (FINAL.has(ended)) {
    announce(`Job ${ended}.`);
    if (document.body.dataset.reloadWhenDone !== undefined) window.location.reload();
  }
}

function showPreviews(card, event) {
  for (const { slot, step } of event.previews ?? []) {
    const box = card.querySelector(`[data-slot="${slot}"]`);
    if (!box) continue;
    const image = new Image();
    image.className = "preview";
    image.alt = "";
    image.src = `/jobs/${card.dataset.job}/preview/${slot}?step=${step}`;
    image.onload = () => {
      const left = 1 - step / (event.steps || 1);
      image.style.filter = `blur(${(left * left * 14).toFixed(1)}px)`;
      box.querySelector(".preview")?.remove();
      box.append(image);
      box.classList.remove("waiting");
    };
  }
}

function progress(card, event) {
  const bar = card.querySelector("progress");
  const words = card.querySelector("[data-progress]");
  if (!bar || event.state === undefined) return;
  if (event.state === "running") {
    bar.max = event.steps || 1;
    bar.value = event.step || 0;
    words.textContent = event.step ? `Step ${event.step} of ${event.steps}` : "Starting …";
    const label = card.querySelector(".state");
    label.className = "state running";
    label.textContent = "running";
    card.dataset.state = "running";
  } else if (event.waiting) {
    words.textContent = event.waiting;
  }
  showPreviews(card, event);
}

function close(id) {
  streams.get(id)?.close();
  streams.delete(id);
}

function open(card) {
  const id = card.dataset.job;
  const source = new EventSource(`/jobs/${id}/events`);
  streams.set(id, source);
  source.onmessage = async (message) => {
    const event = JSON.parse(message.data);
    const now = document.querySelector(`[data-job="${id}"]`);
    if (!now) return close(id);
    progress(now, event);
    if (FINAL.has(event.state)) {
      close(id);
      await refresh(now);
      watch();
    }
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) streams.delete(id); // polled from now on, and tried again there
  };
}

function watch() {
  const cards = live().slice(0, STREAMS);
  for (const id of streams.keys()) {
    if (!cards.some((card) => card.dataset.job === id)) close(id);
  }
  for (const card of cards) {
    if (!streams.has(card.dataset.job)) open(card);
  }
}

async function poll() {
  const waiting = live().filter((card) => streams.get(card.dataset.job)?.readyState !== EventSource.OPEN);
  const some = [...waiting.slice(turn), ...waiting.slice(0, turn)].slice(0, POLLED);
  turn = waiting.length > POLLED ? (turn + POLLED) % waiting.length : 0;
  if (!document.hidden) await Promise.allSettled(some.map(refresh));
  watch();
  setTimeout(poll, POLL_MS);
}

document.addEventListener("htmx:after:swap", watch);
document.addEventListener("htmx:response:error", (event) => {
  const card = event.target.closest?.("[data-job]");
  if (card) toast("That did not work. Reload the page to see how the job stands.");
});
window.addEventListener("pagehide", () => [...streams.keys()].forEach(close));
watch();
setTimeout(poll, POLL_MS);
