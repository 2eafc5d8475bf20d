// One person's way through the portal, from the link in the mail to the reply in the sender's mailbox.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "./lib/browser.mjs";
import { hands } from "./lib/hands.mjs";
import { link, Outbox } from "./lib/outbox.mjs";
import { Person } from "./lib/person.mjs";
import { report, task as read } from "./lib/tools.mjs";

const CODE = /\b\d{3} \d{3}\b/;

class Walk {
  constructor(task, browser, result) {
    this.task = task;
    this.browser = browser;
    this.result = result;
    this.person = new Person(task, browser, hands(task, browser.page));
    this.outbox = new Outbox(task.outbox);
  }

  get page() {
    return this.browser.page;
  }

  // The story.
  async all() {
    await this.link();
    if (this.task.account) {
      await this.register();
      await this.password();
      await this.signIn();
    } else {
      await this.code();
    }
    await this.read();
    await this.download();
    await this.reply();
    if (this.task.thorough) await this.others();
    await this.leave();
  }

  expect(holds, what) {
    if (!holds) this.browser.fault(`${what} (at ${this.person.path()})`);
  }

  async goto(path) {
    await this.page.goto(path.startsWith("/") ? this.task.origin + path : path);
  }

  async mail(to, wanted, what) {
    return this.outbox.next(to, wanted, what);
  }

  // The link page: looked at twice, as a scanner does before the person, then the press.
  async link() {
    const { origin, recipient } = this.task;
    const mail = await this.mail(recipient, (mail) => link(mail, `${origin}/p/`), "the notice");
    const url = link(mail, `${origin}/p/`);
    await this.goto(url);
    await this.goto(url);
    await this.browser.look("link");
    await this.person.go(this.person.button());
  }

  async register() {
    const { person, task } = this;
    this.expect(person.path() === "/register", "the button does not lead to the form");
    await this.browser.look("register");
    if (task.thorough) await person.goWrong("register-faults", "name");
    await person.fill(task.answers);
    if (task.birthdate && task.thorough) {
      await person.birthdate("1999-12-31");
      await person.goWrong("register-wrong-birthdate", "birthdate");
    }
    if (task.birthdate) await person.birthdate(task.birthdate);
    await person.go(person.button());
    if (await person.has("procedures")) await this.procedures();
    await this.browser.look("registered");
    if (task.approve) execFileSync(task.approve[0], task.approve.slice(1), { stdio: "pipe" });
  }

  // Filled in from the specialty; one is taken out.
  async procedures() {
    await this.browser.look("procedures");
    const first = this.person.field("procedures").first();
    this.expect(await first.isChecked(), "the specialty's own procedures are not filled in");
    await this.person.hands.untick(first);
    await this.person.go(this.person.button());
  }

  async password() {
    const { person, task } = this;
    const begins = `${task.origin}/password/`;
    const mail = await this.mail(task.recipient, (mail) => link(mail, begins), "the mail that sets the password");
    await this.goto(link(mail, begins));
    await this.browser.look("password");
    if (task.thorough) {
      await person.fill({ password: "short" });
      await person.goWrong("password-faults", "password");
    }
    await person.fill({ password: task.password });
    await person.go(person.button());
  }

  async signIn() {
    const { person, task } = this;
    if (person.path() !== "/sign-in") await this.goto("/sign-in");
    await this.browser.look("sign-in");
    if (task.thorough) {
      await person.fill({ address: task.recipient, password: "not the password of anybody" });
      await person.goWrong("sign-in-faults", "address");
    }
    await person.fill({ address: task.recipient, password: task.password });
    await person.go(person.button());
  }

  // The one-time code, by mail.
  async code() {
    const { person, task } = this;
    if (!(await person.has("code"))) {
      await this.browser.look("code-mail");
      await person.go(person.button());
    }
    const mail = await this.mail(task.recipient, (mail) => CODE.test(mail.text ?? ""), "the code");
    await this.browser.look("code");
    const [code] = mail.text.match(CODE);
    if (task.thorough) {
      await person.fill({ code: code === "000 000" ? "111 111" : "000 000" });
      await person.goWrong("code-faults", "code");
    }
    await person.fill({ code });
    await person.go(person.button());
  }

  // The list, and the message.
  async read() {
    const { person, task } = this;
    if (task.account && person.path() !== "/") await this.goto("/");
    if (person.path() === "/") {
      await this.browser.look("list");
      await person.go(this.page.locator('main .rows a[href^="/m/"]').first());
    }
    this.message = person.path();
    await this.browser.look("message");
    const texts = await Promise.all(this.page.frames().map((frame) => frame.locator("body").innerText()));
    this.expect(texts.join("\n").includes(task.says), "the message's text is not to be read");
    this.expect(texts[0].includes(task.subject), "the message's subject is not to be read");
  }

  // Each document by itself, then all of them; what arrives lies in a folder for comparing.
  async download() {
    const links = this.page.locator('main a[download][href*="/d/"]');
    const count = await links.count();
    this.expect(count === this.task.documents, `${count} of ${this.task.documents} documents can be downloaded`);
    this.result.downloads = [];
    for (let at = 0; at < count; at += 1) await this.save(links.nth(at));
    if (count > 1) await this.save(this.page.locator('main a[href$="/all.zip"]'));
    this.result.steps.push("download");
  }

  async save(target) {
    const [download] = await Promise.all([this.page.waitForEvent("download"), this.person.hands.press(target)]);
    const path = join(this.task.downloads, `${this.result.downloads.length}`);
    await download.saveAs(path);
    this.result.downloads.push({ name: download.suggestedFilename(), path });
  }

  async reply() {
    const { person, task } = this;
    await person.go(this.page.locator('main a[href$="/reply"]'));
    await this.browser.look("reply");
    if (task.thorough) await this.wrongReplies();
    await person.fill({ text: task.reply.text });
    await person.hands.attach(person.field("files"), task.reply.attachments);
    await this.browser.look("reply-written");
    await person.go(person.button());
    await this.browser.look("reply-sent");
    await this.replyArrives();
  }

  async wrongReplies() {
    const { person, task } = this;
    await person.goWrong("reply-empty", "text");
    await person.fill({ text: task.reply.text });
    await person.hands.attach(person.field("files"), [task.reply.restricted]);
    await person.goWrong("reply-restricted", "files");
    const kept = await person.field("text").inputValue();
    this.expect(kept.includes(task.reply.text), "what was typed is lost after a refused upload");
    await this.goto(`${this.message}/reply`);
  }

  async replyArrives() {
    const { sender, reply, messageId } = this.task;
    const mail = await this.mail(sender, (mail) => mail.text?.includes(reply.text), "the reply, to the sender");
    this.expect(mail.inReplyTo === messageId, `In-Reply-To is ${mail.inReplyTo}, not ${messageId}`);
    this.expect([mail.references ?? []].flat().includes(messageId), `References do not name ${messageId}`);
    const digest = (octets) => createHash("sha256").update(octets).digest("hex");
    const sent = reply.attachments.map((path) => digest(readFileSync(path)));
    const arrived = mail.attachments.map((attachment) => digest(attachment.content));
    this.expect(JSON.stringify(sent) === JSON.stringify(arrived), "what was attached to the reply is not what arrived");
    this.result.steps.push("reply-arrived");
  }

  // Pages that lie beside the way.
  async others() {
    const account = this.task.account ? ["/account", "/account/password", "/account/close"] : [];
    for (const path of [...account, "/help", "/forgot"]) {
      await this.goto(path);
      await this.browser.look(path.slice(1).replace("/", "-"));
    }
    if (!this.task.birthdate) await this.profile();
    this.browser.expectsRefusal = true;
    for (const [name, path] of [["link-unknown", "/p/none"], ["not-found", "/m/none"], ["password-over", "/password/none"]]) {
      await this.goto(path);
      await this.browser.look(name);
    }
    this.browser.expectsRefusal = false;
  }

  // Who works there gets a file that sets up an iPhone.
  async profile() {
    await this.goto("/setup");
    await this.person.hands.press(this.page.locator("summary", { hasText: "iPhone" }));
    await this.browser.look("setup-open");
    await this.person.fill({ emailaddress: this.task.sender });
    const button = this.page.locator('form[action="/mail/apple.mobileconfig"] button');
    const [download] = await Promise.all([this.page.waitForEvent("download"), this.person.hands.press(button)]);
    const text = readFileSync(await download.path(), "utf8");
    this.expect(download.suggestedFilename() === "mail.mobileconfig", `the profile is named ${download.suggestedFilename()}`);
    this.expect(text.includes(`<string>${this.task.sender}</string>`), "the profile is not for the address that was typed");
    this.result.steps.push("profile");
  }

  // After signing out, Back shows nothing of what was read.
  async leave() {
    const { task } = this;
    if (!task.account) return;
    await this.goto(this.message);
    await this.person.go(this.page.locator('form[action="/sign-out"] button'));
    await this.browser.look("signed-out");
    this.browser.expectsRefusal = true;
    await this.page.goBack();
    const text = await this.page.locator("body").innerText();
    this.expect(!text.includes(task.says) && !text.includes(task.subject), "Back shows the message after signing out");
    this.result.steps.push("back-shows-nothing");
  }
}

const task = await read();
await report(async (result) => {
  const browser = new Browser(task, result);
  try {
    await browser.open();
    await new Walk(task, browser, result).all();
  } catch (error) {
    await browser.picture("where-it-stopped").catch(() => {});
    result.page = await browser.page?.locator("body").innerText().catch(() => undefined);
    throw error;
  } finally {
    await browser.close();
  }
});
