// The browser, and what is watched in it: foreign requests, complaints, weight, accessibility, width.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { axeSource, chromium } from "./tools.mjs";

const VIEWPORTS = {
  phone: { viewport: { width: 375, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  desktop: { viewport: { width: 1280, height: 900 } },
};

// The looks a page must bear. 640 px is 1280 px at 200 % zoom; 320 px is the narrowest phone (WCAG 2.2, 1.4.10).
const LOOKS = [
  { name: "dark", media: { colorScheme: "dark" } },
  { name: "contrast", media: { contrast: "more", forcedColors: "active" } },
  { name: "zoom", size: { width: 640, height: 450 } },
  { name: "narrow", size: { width: 320, height: 640 } },
];

const HEAVIEST = 50_000;

// How long anything may take, in milliseconds. No measure of speed: a machine that builds and tests on all its processors
// has let a page wait for more than fifteen seconds.
const PATIENCE = 90_000;

export class Browser {
  constructor(task, result) {
    this.task = task;
    this.result = result;
    this.origin = new URL(task.origin).origin;
    this.pictures = 0;
  }

  async open() {
    const { hostname } = new URL(this.task.origin);
    const resolve = this.task.address ? [`--host-resolver-rules=MAP ${hostname} ${this.task.address}`] : [];
    this.chromium = await chromium.launch({
      executablePath: this.task.chromium,
      timeout: PATIENCE,
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", ...resolve],
    });
    this.context = await this.chromium.newContext({
      ...VIEWPORTS[this.task.viewport],
      javaScriptEnabled: this.task.javascript !== false,
      ignoreHTTPSErrors: true,
      acceptDownloads: true,
      locale: this.task.locale ?? "en-AU",
      timezoneId: "Australia/Sydney",
    });
    this.context.setDefaultTimeout(PATIENCE);
    this.context.on("request", (request) => this.heed(request));
    this.context.on("page", (page) => this.listen(page));
    this.page = await this.context.newPage();
    return this.page;
  }

  async close() {
    await this.chromium?.close();
  }

  fault(text) {
    this.result.faults.push(text);
  }

  // Nothing may be asked of anybody else.
  heed(request) {
    const url = request.url();
    if (/^(data|blob|about|chrome|chrome-extension):/.test(url)) return;
    if (new URL(url).origin !== this.origin && !this.task.allowed?.includes(new URL(url).origin)) {
      this.fault(`a request to somebody else: ${url}`);
    }
  }

  listen(page) {
    page.on("pageerror", (error) => this.fault(`a script failed on ${page.url()}: ${error}`));
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      // A form with faults answers 422; Chromium logs each such status.
      if (/status of (4\d\d)/.test(message.text()) && this.expectsRefusal) return;
      this.fault(`the console of ${page.url()} complains: ${message.text()}`);
    });
  }

  // A page as it is now: noted, weighed, judged in all its looks.
  async look(name, page = this.page) {
    this.result.steps.push(name);
    await page.waitForLoadState("load");
    await this.picture(name, page);
    await this.judge(name, "as it is", page);
    if (this.task.thorough) {
      for (const look of LOOKS) await this.through(look, name, page);
      await this.weigh(name, page);
    }
  }

  async through(look, name, page) {
    const before = page.viewportSize();
    if (look.media) await page.emulateMedia(look.media);
    if (look.size) await page.setViewportSize(look.size);
    await this.picture(`${name}-${look.name}`, page);
    await this.judge(name, look.name, page);
    await page.emulateMedia({ colorScheme: null, contrast: null, forcedColors: null });
    await page.setViewportSize(before);
  }

  async judge(name, look, page) {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) this.fault(`${name} (${look}) is ${wide} px too wide at ${page.viewportSize().width} px`);
    if (this.task.javascript === false) return;
    await page.evaluate(axeSource);
    const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    for (const violation of found.violations) {
      const nodes = violation.nodes.slice(0, 3).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`);
      this.fault(`axe, ${name} (${look}): ${violation.id}, ${violation.help}\n    ${nodes.join("\n    ")}`);
    }
  }

  // What a first visitor loads: the page and all it asks for, as sent.
  async weigh(name, page) {
    const loaded = await page.evaluate(() => {
      const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
      return entries.reduce((sum, entry) => sum + entry.decodedBodySize, 0);
    });
    this.result.heaviest = Math.max(this.result.heaviest ?? 0, loaded);
    const most = this.task.heaviest ?? HEAVIEST;
    if (loaded > most) this.fault(`${name} weighs ${loaded} octets, more than ${most}`);
  }

  async picture(name, page = this.page) {
    if (!this.task.pictures) return;
    mkdirSync(this.task.pictures, { recursive: true });
    this.pictures += 1;
    const number = String(this.pictures).padStart(3, "0");
    await page.screenshot({ path: join(this.task.pictures, `${number}-${name}.png`), fullPage: true });
  }
}
