// `postern demo` as somebody sees it who has just started it: the outbox page shows the mails, and their links lead on.
import { Browser } from "./lib/browser.mjs";
import { report, task as read } from "./lib/tools.mjs";

const task = await read();

await report(async (result) => {
  const browser = new Browser({ ...task, allowed: [new URL(task.portal).origin] }, result);
  try {
    const page = await browser.open();
    await page.goto(task.origin);
    await browser.look("outbox");
    const mails = page.locator(".mails a");
    result.mails = await mails.locator(".subject").allInnerTexts();
    if (task.viewport === "phone") await mails.last().click();
    for (const view of ["As shown", "Plain text", "Source"]) {
      await page.getByRole("link", { name: view }).click();
      await browser.look(view.toLowerCase().replace(" ", "-"));
    }
    await page.goto(`${task.origin}/?to=${encodeURIComponent(task.patient)}`);
    if (task.viewport === "phone") await mails.last().click();
    const shown = page.frameLocator("iframe");
    const portal = browser.context.waitForEvent("page");
    await shown.locator(`a[href^="${task.portal}/p/"]`).first().click();
    const opened = await portal;
    result.opened = opened.url();
    if (!result.opened.startsWith(`${task.portal}/p/`)) result.faults.push(`the button of the mail leads to ${result.opened}`);
  } finally {
    await browser.close();
  }
});
