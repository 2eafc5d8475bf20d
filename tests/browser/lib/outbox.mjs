// The gateway's outbox: one .eml file a delivery, the envelope in its first two fields.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { simpleParser } from "./tools.mjs";

const PATIENCE = 90_000;

export class Outbox {
  constructor(folder) {
    this.folder = folder;
    this.known = new Set();
  }

  // All mails to an address, oldest first.
  async to(address) {
    const found = [];
    for (const name of readdirSync(this.folder).filter((name) => name.endsWith(".eml")).sort()) {
      const octets = readFileSync(join(this.folder, name));
      const envelope = octets.subarray(0, 2000).toString("latin1");
      if (!envelope.includes(`X-Envelope-To: <${address}>`)) continue;
      found.push({ name, time: statSync(join(this.folder, name)).mtimeMs, octets });
    }
    found.sort((a, b) => a.time - b.time);
    return Promise.all(found.map(async (mail) => ({ ...mail, ...(await simpleParser(mail.octets)) })));
  }

  // The first mail to an address that was not looked at yet and is as wanted; waits for it.
  async next(address, wanted, what) {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      for (const mail of await this.to(address)) {
        if (this.known.has(mail.name) || !wanted(mail)) continue;
        this.known.add(mail.name);
        return mail;
      }
      if (Date.now() > deadline) throw new Error(`no mail to ${address} came: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

// The first link of a mail that begins so.
export function link(mail, begins) {
  const at = mail.text?.indexOf(begins) ?? -1;
  if (at < 0) return undefined;
  return mail.text.slice(at).split(/[\s>)\]]/)[0];
}
