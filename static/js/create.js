// Create: the controls write their parameters into the prompt, and follow when the prompt is edited.
import { read, write } from "./prompt-text.js";

const form = document.getElementById("composer");
const prompt = form.elements.prompt;
const NAMES = {
  p: ["p", "personalize", "profile"], s: ["s", "stylize"], ar: ["ar"], n: ["n"], seed: ["seed"], chaos: ["chaos", "c"], model: ["model"],
};

function change(parameter, value) {
  prompt.value = write(prompt.value, NAMES[parameter], value);
  follow();
}

function press(group, value) {
  for (const chip of group.querySelectorAll("[data-value]")) {
    chip.setAttribute("aria-pressed", String(chip.dataset.value === value));
  }
}

function follow() {
  for (const control of form.querySelectorAll("[data-parameter]")) {
    const value = read(prompt.value, NAMES[control.dataset.parameter]);
    const standing = value === "" ? "on" : (value ?? control.dataset.default); // a bare --p switches it on
    if (control.matches("input, select")) {
      control.value = control.type === "number" ? (value ?? "") : standing;
      const output = form.querySelector(`output[for="${control.id}"]`);
      if (output) output.textContent = standing; // the slider itself has coarser steps, and no words
    } else {
      press(control, standing);
    }
  }
}

form.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-value]");
  if (!chip) return;
  const group = chip.closest("[data-parameter]");
  const value = chip.dataset.value;
  change(group.dataset.parameter, value === group.dataset.default ? null : value === "on" ? "" : value);
});

form.addEventListener("input", (event) => {
  const control = event.target;
  if (control === prompt) {
    follow();
    document.getElementById("composer-error").replaceChildren();
    prompt.setAttribute("aria-invalid", "false");
  } else if (control.dataset.parameter) {
    const value = control.value;
    change(control.dataset.parameter, value === "" || value === control.dataset.default ? null : value);
  }
});

prompt.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});

// One key per accepted submit: a double click sends the same key twice and makes one set of jobs.
form.addEventListener("htmx:after:request", (event) => {
  if (event.target !== form) return; // the prompt asks on its own which of its words are known
  const status = event.detail.ctx.response?.status ?? 0;
  prompt.setAttribute("aria-invalid", String(status >= 400 && status < 500));
  if (status >= 200 && status < 300) {
    form.elements.key.value = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    document.getElementById("composer-error").replaceChildren();
    document.getElementById("results").scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
});

follow();
