// What every page does: the ring, announcements, copying, asking before something is deleted, local times.

export function csrf() {
  return document.body.dataset.csrf;
}

export function setCsrf(token) {
  if (!token) return;
  document.body.dataset.csrf = token;
  document.body.setAttribute("hx-headers:inherited", JSON.stringify({ "X-CSRF-Token": token }));
  for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = token;
}

export function announce(text) {
  document.getElementById("live").textContent = text;
}

export function setRing(count) {
  for (const ring of document.querySelectorAll("[data-ring]")) {
    const needed = Number(ring.dataset.needed);
    const value = ring.querySelector(".value");
    value.setAttribute("stroke-dasharray", `${Math.min(100, (count * 100) / needed)} 200`);
    value.setAttribute("stroke-opacity", count ? "1" : "0");
    ring.querySelector("[data-count]").textContent = count;
    ring.dataset.unlocked = String(count >= needed);
    const unlocked = count >= needed ? ", personalization is unlocked" : "";
    ring.setAttribute("aria-label", `${count} of ${needed} ratings${unlocked}`);
  }
}

export function toast(text, { href, label, seconds = 6 } = {}) {
  document.querySelector(".toast")?.remove();
  const box = document.createElement("div");
  box.className = "toast";
  box.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (href) box.append(Object.assign(document.createElement("a"), { href, textContent: label }));
  document.body.append(box);
  announce(text);
  setTimeout(() => box.remove(), seconds * 1000);
}

function localTimes(root) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = format.format(new Date(time.dateTime));
  }
}

async function copy(button) {
  const field = document.getElementById(button.dataset.copy);
  const text = field.value ?? field.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    field.select?.(); // clipboard access needs https or localhost; the text is selected, ready to be copied
    toast("Press Ctrl+C to copy the selected text.");
    return;
  }
  toast("Copied.", { seconds: 2 });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
});

document.addEventListener("htmx:error", () => {
  toast("The server did not answer. Check that it runs, then try again.");
});

localTimes(document);
document.addEventListener("htmx:after:swap", () => localTimes(document));
