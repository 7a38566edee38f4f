// Walks through the catalog in a headless Chromium and prints what it met, as JSON. Arguments: URL, folder for pictures, Chromium.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [url, pictures, program] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const browser = await chromium.launch({ executablePath: program, headless: true, args: FLAGS });
const told = { elsewhere: [], violations: {}, errors: [] };

async function visitor(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("requestfinished", (asked) => {
    if (!asked.url().startsWith(url) && !/^(data|blob):/.test(asked.url())) told.elsewhere.push(asked.url());
  });
  page.on("pageerror", (error) => told.errors.push(`${page.url()}: ${error}`));
  page.on("console", (said) => said.type() === "error" && told.errors.push(`${page.url()}: ${said.text()}`));
  return page;
}

async function judge(page, name, leaveOut = []) {
  const found = await page.evaluate(
    async ([source, without]) => {
      if (!window.axe) (0, eval)(source);
      return (await window.axe.run({ exclude: without })).violations.map(({ id, impact, nodes }) => ({
        id, impact, where: nodes.slice(0, 3).map((node) => node.target.join(" ")),
      }));
    },
    [axe, leaveOut],
  );
  told.violations[name] = found;
  await page.screenshot({ path: `${pictures}/${name}.png` });
}

async function stranger() {
  const page = await visitor({ bypassCSP: true }); // for axe alone; the other visitors live under the policy
  const first = await page.goto(`${url}/catalog`);
  told.first_page = (await first.body()).length;
  await page.getByLabel("Find an API, operation").pressSequentially("quote validation");
  const found = page.getByRole("link", { name: "validate_quote", exact: true });
  await found.first().waitFor();
  await judge(page, "search");
  await found.first().click();
  await page.getByRole("heading", { name: "Try it" }).waitFor();
  await judge(page, "operation");
  await page.getByRole("button", { name: "Get a sandbox token" }).click();
  await page.getByText("A token for the sandbox").waitFor();
  await page.getByRole("button", { name: "Send it" }).click();
  await page.locator("#answer-line").waitFor();
  await page.locator("#try-status", { hasText: "Answered" }).waitFor();
  told.answer = { line: await page.locator("#answer-line").innerText(), body: await page.locator("#answer-body").innerText() };
  await page.locator("#try-panel").scrollIntoViewIfNeeded();
  await judge(page, "answer");
  for (const [name, path] of PAGES) {
    await page.goto(`${url}/catalog${path}`);
    await judge(page, name);
  }
}

const PAGES = [
  ["index", ""], ["api", "/apis/process/orders/v1"], ["schema", "/apis/process/orders/v1/schemas/Order"], ["map", "/map"],
  ["versions", "/apis/process/orders/v1/versions"], ["changes", "/changes"], ["session", "/session"], ["missing", "/apis/a/b/v1"],
];

async function dark() {
  const page = await visitor({ colorScheme: "dark", bypassCSP: true });
  for (const [name, path] of [PAGES[0], PAGES[1], PAGES[3], ["operation", "/apis/process/quotes/v1/operations/validate_quote"]]) {
    await page.goto(`${url}/catalog${path}`);
    await judge(page, `dark-${name}`);
  }
  told.dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
}

async function withoutScripts() {
  const page = await visitor({ javaScriptEnabled: false });
  await page.goto(`${url}/catalog`);
  await page.getByLabel("Find an API, operation").fill("quote validation");
  await page.getByRole("button", { name: "Find" }).click();
  await page.getByRole("link", { name: "validate_quote", exact: true }).first().click();
  told.without_scripts = { curl: await page.locator("noscript").innerText(), form: await page.locator("form.needs-script").isVisible() };
  await page.screenshot({ path: `${pictures}/without-scripts.png` });
  await page.goto(`${url}/catalog/session`);
  await page.getByRole("button", { name: "Go in with a sandbox token" }).click();
  told.without_scripts.signed_in = await page.getByRole("link", { name: "Signed in" }).isVisible();
}

async function keyboard() {
  const page = await visitor();
  await page.goto(`${url}/catalog`);
  await page.keyboard.press("Tab");
  told.keyboard = { first: await focused(page) };
  await page.keyboard.press("Enter");
  told.keyboard.after_skip = await page.evaluate(() => document.activeElement.id);
  await page.getByLabel("Find an API, operation").focus();
  await page.keyboard.type("validate_quote");
  await page.getByRole("link", { name: "validate_quote", exact: true }).first().waitFor();
  await page.keyboard.press("ArrowDown");
  told.keyboard.found = await focused(page);
  await Promise.all([page.waitForURL("**/operations/validate_quote"), page.keyboard.press("Enter")]);
  await reach(page, "Get a sandbox token");
  await page.keyboard.press("Enter");
  await page.getByText("A token for the sandbox").waitFor();
  await reach(page, "Send it");
  await page.keyboard.press("Enter");
  await page.locator("#try-status", { hasText: "Answered" }).waitFor();
  told.keyboard.answer = await focused(page);
}

async function reach(page, name) {
  for (let steps = 0; steps < 40 && (await focused(page)) !== name; steps += 1) await page.keyboard.press("Tab");
}

function focused(page) {
  return page.evaluate(() => document.activeElement.innerText ?? "");
}

async function viewers() {
  const page = await visitor();
  await page.goto(`${url}/catalog/apis/process/quotes/v1/swagger`);
  await page.locator(".opblock").first().waitFor();
  await page.screenshot({ path: `${pictures}/swagger.png` });
  await page.goto(`${url}/catalog/apis/process/quotes/v1/redoc`);
  await page.getByRole("heading", { name: "Validate quote" }).first().waitFor();
  await page.screenshot({ path: `${pictures}/redoc.png` });
  told.viewers = true;
}

try {
  await stranger();
  await dark();
  await withoutScripts();
  await keyboard();
  if ((await (await fetch(`${url}/catalog/apis/process/quotes/v1/swagger`)).status) === 200) await viewers();
} finally {
  await browser.close();
}
console.log(JSON.stringify(told));
