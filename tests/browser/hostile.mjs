// A message whose text and documents try to run something, to load something, and to call home. `task.links` are the addresses that
// a guest can open; the beacon that everything hostile calls is `task.beacon`, which the test listens on: it must stay silent.
import { Browser } from "./lib/browser.mjs";
import { hands } from "./lib/hands.mjs";
import { link, Outbox } from "./lib/outbox.mjs";
import { Person } from "./lib/person.mjs";
import { report, task as read } from "./lib/tools.mjs";

const task = await read();

await report(async (result) => {
  const browser = new Browser(task, result);
  try {
    const page = await browser.open();
    // A sandbox that does its work complains in the console; that is no fault here.
    browser.listen = () => {};
    page.removeAllListeners("console");
    const person = new Person(task, browser, hands(task, page));
    await enter(person, page);
    await message(page, result);
    await documents(browser, page, result);
  } finally {
    await browser.close();
  }
});

// By a code: the shortest way in.
async function enter(person, page) {
  const outbox = new Outbox(task.outbox);
  const notice = await outbox.next(task.recipient, (mail) => link(mail, `${task.origin}/p/`), "the notice");
  await page.goto(link(notice, `${task.origin}/p/`));
  await person.go(person.button());
  if (!(await person.has("code"))) await person.go(person.button());
  const mail = await outbox.next(task.recipient, (mail) => /\b\d{3} \d{3}\b/.test(mail.text ?? ""), "the code");
  await person.fill({ code: mail.text.match(/\b\d{3} \d{3}\b/)[0] });
  await person.go(person.button());
}

// The canary: every hostile part would set it on whatever window it reaches.
async function canary(frame) {
  return frame.evaluate(() => globalThis.canary ?? (document.title.includes("canary") ? document.title : undefined));
}

async function message(page, result) {
  await page.waitForTimeout(500);
  for (const frame of page.frames()) {
    const sung = await canary(frame);
    if (sung) result.faults.push(`the text of the message ran: ${sung} in ${frame.url()}`);
  }
  result.steps.push(`message with ${page.frames().length} frames`);
}

async function documents(browser, page, result) {
  const links = await page.locator('main a[href*="/d/"]').evaluateAll((found) => found.map((it) => it.getAttribute("href")));
  for (const href of new Set(links)) {
    const tab = await browser.context.newPage();
    const download = tab.waitForEvent("download", { timeout: 3_000 }).catch(() => undefined);
    const answer = await tab.goto(new URL(href, task.origin).href).catch(() => undefined);
    await tab.waitForTimeout(500);
    const came = answer ? "shown" : (await download) ? "downloaded" : "neither";
    for (const frame of tab.frames()) {
      const sung = await canary(frame).catch(() => undefined);
      if (sung) result.faults.push(`${href} ran: ${sung}`);
    }
    result.steps.push(`${href.replace(/.*\/d\//, "/d/")} ${came}`);
    await tab.close();
  }
  if (links.length < task.documents) result.faults.push(`only ${links.length} of ${task.documents} documents have links`);
}
