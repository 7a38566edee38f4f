// Finds while you type. Without it the form does the same by its button.
const form = document.querySelector("form.search");
const field = form.querySelector("#q");
const place = document.querySelector("#results");
let under = null;
let waiting = 0;

async function find() {
  under?.abort();
  under = new AbortController();
  const asked = new URLSearchParams(new FormData(form));
  try {
    const answer = await fetch(`${form.dataset.results}?${asked}`, { signal: under.signal });
    if (!answer.ok) return;
    place.innerHTML = await answer.text(); // our own page, escaped where it was made
    const here = new URL(location.href);
    here.search = field.value ? asked : "";
    history.replaceState(null, "", here);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(find, 120);
});
field.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") {
    place.querySelector("a")?.focus();
    event.preventDefault();
  }
});
place.addEventListener("keydown", (event) => {
  const links = [...place.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (at < 0 || !step) return;
  (links[at + step] ?? (step < 0 ? field : links[at])).focus();
  event.preventDefault();
});
