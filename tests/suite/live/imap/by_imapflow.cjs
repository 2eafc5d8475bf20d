// imapflow against the server: the mailbox as a web application has it. A guest's reply lies in the Inbox.
const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { ImapFlow } = require("imapflow");

const [ip, port, ca, user, pass] = process.argv.slice(2);
const open = async () => {
  const client = new ImapFlow({
    host: ip, port: Number(port), secure: true, auth: { user, pass }, tls: { ca: readFileSync(ca) }, logger: false, qresync: true,
  });
  await client.connect();
  return client;
};
const letter = (number) =>
  Buffer.from(`From: a@home.example\r\nTo: ${user}\r\nMessage-ID: <${number}@home.example>\r\nSubject: Größe ${number}\r\n\r\nText ${number}\r\n`);

const all = async (stream) => {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
};

const main = async () => {
  const client = await open();
  for (const wanted of ["IDLE", "UIDPLUS", "MOVE", "CONDSTORE", "QRESYNC", "SPECIAL-USE", "LIST-STATUS", "OBJECTID"]) {
    assert(client.capabilities.has(wanted), `${wanted} is not offered`);
  }
  const folders = await client.list({ statusQuery: { messages: true, unseen: true } });
  const uses = Object.fromEntries(folders.filter((one) => one.specialUse).map((one) => [one.specialUse, one.path]));
  assert.deepEqual(uses, { "\\Inbox": "INBOX", "\\Sent": "Sent", "\\Drafts": "Drafts", "\\Trash": "Trash", "\\Junk": "Junk" });
  assert.equal(folders.find((one) => one.path === "INBOX").status.unseen, 1);

  // The reply: its envelope, its parts, every octet of what came with it.
  const inbox = await client.mailboxOpen("INBOX");
  assert.equal(inbox.exists, 1);
  assert(inbox.highestModseq > 0n && inbox.mailboxId, "CONDSTORE or OBJECTID is missing");
  const reply = await client.fetchOne("*", { uid: true, envelope: true, bodyStructure: true, flags: true, emailId: true, size: true });
  assert.equal(reply.envelope.inReplyTo, "<invoice@clinic.example>");
  assert(!reply.flags.has("\\Seen"), "nobody has read it");
  const parts = reply.bodyStructure.childNodes.filter((part) => part.disposition === "attachment");
  assert.deepEqual(parts.map((part) => part.dispositionParameters.filename), ["scan.pdf", "note.txt"]);
  const scan = await all((await client.download(`${reply.uid}`, parts[0].part, { uid: true })).content);
  assert(scan.equals(Buffer.concat(Array(1200).fill(Buffer.from(Array.from({ length: 256 }, (_, at) => at))))), "scan.pdf differs");

  // Writing, searching, flags, folders.
  await client.mailboxCreate(["Größe", "2026"]);
  const { uid } = await client.append("Größe/2026", letter(1), ["\\Seen", "$Called"], new Date("2026-11-20T09:00:00Z"));
  assert.equal(uid, 1);
  await client.mailboxOpen("Größe/2026");
  assert.deepEqual(await client.search({ seen: true, header: { subject: "Größe" } }, { uid: true }), [1]);
  assert.deepEqual(await client.search({ not: { seen: true } }, { uid: true }), []);
  assert(await client.messageFlagsAdd("1", ["\\Flagged"], { uid: true }));
  const { flags } = await client.fetchOne("1", { flags: true }, { uid: true });
  for (const flag of ["$Called", "\\Flagged", "\\Seen"]) assert(flags.has(flag), `${flag} is missing`);
  const moved = await client.messageMove("1", "Trash", { uid: true });
  assert.equal(moved.uidMap.get(1), 1);
  await client.mailboxClose();
  await client.mailboxRename(["Größe", "2026"], "Alt");
  await client.mailboxDelete("Alt");
  assert((await client.getQuota("INBOX")).storage.limit > 0);

  // Two sessions: one idles, the other writes, flags and throws away.
  const other = await open();
  await client.mailboxOpen("INBOX");
  await other.mailboxOpen("INBOX");
  const next = (event) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no ${event} within half a minute`)), 30_000).unref();
    client.once(event, resolve);
  });
  const idling = client.idle();
  let told = next("exists");
  await other.append("INBOX", letter(2));
  assert.equal((await told).count, 2);
  told = next("flags");
  await other.messageFlagsAdd("2", ["\\Answered"]);
  assert((await told).flags.has("\\Answered"));
  told = next("expunge");
  await other.messageDelete("2");
  const gone = await told;
  assert(gone.seq === 2 || gone.uid === 2, JSON.stringify(gone));
  await other.logout();
  await client.noop();
  await idling;
  await client.logout();
  console.log("done");
};
main().catch((error) => {
  console.error(error, error.response, error.responseText);
  process.exit(1);
});
