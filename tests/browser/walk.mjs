// One person's way through the portal, from the link in the mail to the reply in the sender's mailbox.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
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
    const person = new Person(task, browser, hands(task, page));
    const walk = new Walk(person, browser, result);
    await walk.link();
    if (task.account) await walk.register();
    else await walk.code();
    await walk.read();
    await walk.download();
    await walk.reply();
    if (task.account) await walk.account();
    await walk.leave();
  } finally {
    if (result.faults.length > 0) await browser.picture("where-it-stopped").catch(() => {});
    await browser.close();
  }
});

class Walk {
  constructor(person, browser, result) {
    this.person = person;
    this.browser = browser;
    this.result = result;
    this.outbox = new Outbox(task.outbox);
  }

  get page() {
    return this.browser.page;
  }

  expect(holds, what) {
    if (!holds) this.result.faults.push(`${what} (at ${new URL(this.page.url()).pathname})`);
  }

  // The link page: looked at twice as a scanner would, then a press.
  async link() {
    const mail = await this.outbox.next(task.recipient, (mail) => link(mail, `${task.origin}/p/`), "the notice");
    const url = link(mail, `${task.origin}/p/`);
    await this.page.goto(url);
    await this.page.goto(url);
    await this.browser.look("link");
    await this.person.go(this.person.button());
  }

  async register() {
    const { person } = this;
    await this.browser.look("register");
    if (task.thorough) {
      await person.go(person.button());
      await person.expectFaults("register-faults");
    }
    await person.fill(task.answers);
    if (task.birthdate && task.thorough) {
      await person.birthdate("1999-12-31");
      await person.go(person.button());
      await person.expectFaults("register-wrong-birthdate");
      await person.fill(task.answers);
    }
    if (task.birthdate) await person.birthdate(task.birthdate);
    await person.go(person.button());
    await this.browser.look("register-done");
    await this.password();
    await this.signIn();
  }

  async password() {
    const { person } = this;
    const begins = `${task.origin}/password/`;
    const mail = await this.outbox.next(task.recipient, (mail) => link(mail, begins), "the mail that sets the password");
    await this.page.goto(link(mail, begins));
    await this.browser.look("password");
    if (task.thorough) {
      await person.fill({ password: "short", again: "short" });
      await person.go(person.button());
      await person.expectFaults("password-faults");
    }
    await person.fill({ password: task.password, again: task.password });
    await person.go(person.button());
  }

  async signIn() {
    const { person } = this;
    if (!(await person.has("password"))) await this.page.goto(`${task.origin}/sign-in`);
    await this.browser.look("sign-in");
    if (task.thorough) {
      await person.fill({ name: task.recipient, password: "not the password of anybody" });
      await person.go(person.button());
      await person.expectFaults("sign-in-faults");
    }
    await person.fill({ name: task.recipient, password: task.password });
    await person.go(person.button());
  }

  // The one-time code, by mail.
  async code() {
    const { person } = this;
    if (!(await person.has("code"))) {
      await this.browser.look("code-send");
      await person.go(person.button());
    }
    const mail = await this.outbox.next(task.recipient, (mail) => /\b\d{3} \d{3}\b/.test(mail.text ?? ""), "the code");
    await this.browser.look("code");
    const code = mail.text.match(/\b\d{3} \d{3}\b/)[0];
    if (task.thorough) {
      await person.fill({ code: code === "000 000" ? "111 111" : "000 000" });
      await person.go(person.button());
      await person.expectFaults("code-faults");
    }
    await person.fill({ code });
    await person.go(person.button());
  }

  // The list, where there is one on the way, and the message.
  async read() {
    if (task.account) {
      if (!/^\/m\//.test(await this.person.path())) await this.browser.look("list");
      else await this.page.goto(`${task.origin}/`).then(() => this.browser.look("list"));
    }
    if (!/^\/m\//.test(await this.person.path())) {
      await this.person.go(this.page.locator('main a[href^="/m/"]').first());
    }
    this.message = await this.person.path();
    await this.browser.look("message");
    const text = await this.page.locator("body").innerText();
    const framed = await Promise.all(this.page.frames().slice(1).map((frame) => frame.locator("body").innerText()));
    this.expect([text, ...framed].join("\n").includes(task.says), "the message's text is not to be read");
    this.expect(text.includes(task.subject), "the message's subject is not to be read");
  }

  // Each document by itself, then all of them; what arrives lies in the folder for comparing.
  async download() {
    const links = this.page.locator('main a[href*="/d/"][download], main a[href*="/d/"][href*="download"]');
    const count = await links.count();
    this.expect(count === task.documents, `${count} of ${task.documents} documents have a link for downloading`);
    this.result.downloads = [];
    for (let at = 0; at < count; at += 1) await this.save(links.nth(at));
    const all = this.page.locator('main a[href$="/all.zip"]').first();
    if ((await all.count()) > 0) await this.save(all);
    this.result.steps.push("download");
  }

  async save(target) {
    const begins = this.page.waitForEvent("download");
    await this.person.hands.press(target);
    const download = await begins;
    const path = join(task.downloads, `${this.result.downloads.length}`);
    await download.saveAs(path);
    const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
    this.result.downloads.push({ name: download.suggestedFilename(), path, sha256: digest });
  }

  async reply() {
    const { person } = this;
    if (!(await person.has("text"))) await person.go(this.page.locator('main a[href$="/reply"]').first());
    await this.browser.look("reply");
    if (task.thorough) {
      await person.go(person.button());
      await person.expectFaults("reply-faults");
    }
    await person.fill({ text: task.reply.text });
    await person.hands.attach(person.field("files"), task.reply.attachments);
    await this.browser.look("reply-written");
    await person.go(person.button());
    await this.browser.look("reply-sent");
    await this.replyArrives();
  }

  async replyArrives() {
    const { sender, reply, messageId } = task;
    const mail = await this.outbox.next(sender, (mail) => mail.text?.includes(reply.text), "the reply, to the sender");
    this.expect(mail.inReplyTo === messageId, `In-Reply-To is ${mail.inReplyTo}, not ${messageId}`);
    this.expect([mail.references ?? []].flat().includes(messageId), `References do not name ${messageId}`);
    const digest = (octets) => createHash("sha256").update(octets).digest("hex");
    const sent = reply.attachments.map((path) => digest(readFileSync(path)));
    const arrived = mail.attachments.map((attachment) => digest(attachment.content));
    this.expect(JSON.stringify(sent) === JSON.stringify(arrived), "the reply's attachments are not what was attached");
    this.result.steps.push("reply-arrived");
  }

  async account() {
    await this.page.goto(`${task.origin}/account`);
    await this.browser.look("account");
  }

  // After signing out, Back shows nothing of what was read.
  async leave() {
    await this.page.goto(`${task.origin}${this.message}`);
    const out = this.page.locator('form[action="/sign-out"] button').first();
    if (!(await out.isVisible())) await this.page.locator("header summary, header button").first().click();
    await this.person.go(out);
    await this.browser.look("signed-out");
    this.browser.expectsRefusal = true;
    await this.page.goBack();
    const text = await this.page.locator("body").innerText();
    this.expect(!text.includes(task.says) && !text.includes(task.subject), "Back shows the message after signing out");
    this.result.steps.push("back-shows-nothing");
  }
}
