// Sends the request on the page to this gateway, with the reader's own token. The token stays in this tab.
const panel = document.querySelector("#try-panel");
const form = panel.querySelector("form");
const token = panel.querySelector("#token");
const status = panel.querySelector("#try-status");
const answer = panel.querySelector("#answer");
const KEPT = "trivium-token";
const LARGEST = 200_000; // letters of an answer that are shown

form.hidden = false;
if (token) {
  token.value = sessionStorage.getItem(KEPT) ?? "";
  token.addEventListener("change", () => keep(token.value.trim()));
}

function keep(said) {
  if (said) sessionStorage.setItem(KEPT, said);
  else sessionStorage.removeItem(KEPT);
}

panel.querySelector("#sandbox-token")?.addEventListener("click", async () => {
  status.textContent = "Asking for a token…";
  const said = await fetch(panel.dataset.sandbox, { method: "POST", headers: { Accept: "application/json" } });
  if (!said.ok) {
    status.textContent = `No token: ${said.status}`;
    return;
  }
  const made = await said.json();
  token.value = made.access_token;
  keep(made.access_token);
  status.textContent = `A token for the sandbox; it lives ${Math.round(made.expires_in / 60)} minutes.`;
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const target = new URL(form.querySelector("#target").value, location.origin);
  if (target.origin !== location.origin) {
    status.textContent = "It can only be sent to this gateway.";
    return;
  }
  status.textContent = "Sending…";
  const began = performance.now();
  try {
    await show(await fetch(target, request()), began);
  } catch (error) {
    status.textContent = `It could not be sent: ${error.message}`;
  }
});

function request() {
  const headers = {};
  if (token?.value) headers.Authorization = `Bearer ${token.value.trim()}`;
  for (const field of form.querySelectorAll("[data-header]")) headers[field.dataset.header] = field.value;
  const body = form.querySelector("#body");
  if (body) headers["Content-Type"] = body.dataset.media;
  return { method: panel.dataset.method, headers, body: body?.value, credentials: "omit", cache: "no-store" };
}

async function show(found, began) {
  const text = await found.text();
  const line = panel.querySelector("#answer-line");
  line.textContent = `${found.status} ${found.statusText} in ${Math.round(performance.now() - began)} ms`;
  line.className = found.ok ? "good" : "bad";
  panel.querySelector("#answer-headers").textContent = [...found.headers].map(([name, said]) => `${name}: ${said}`).join("\n");
  panel.querySelector("#answer-body").textContent = pretty(text).slice(0, LARGEST);
  answer.hidden = false;
  status.textContent = `Answered ${found.status}`;
  line.focus();
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
