// What Nodemailer's mailparser sees in each delivered file.
//
// usage: NODE_PATH=…/node_modules node mailparser.cjs FOLDER    prints one JSON object: file name -> attachments it sees
const fs = require("node:fs");
const path = require("node:path");
const { simpleParser } = require("mailparser");

async function main(folder) {
  const report = {};
  for (const name of fs.readdirSync(folder).filter((name) => name.endsWith(".eml"))) {
    const mail = await simpleParser(fs.readFileSync(path.join(folder, name)));
    report[name] = mail.attachments.map((it) => `${it.contentType} ${it.filename ?? ""}`);
  }
  process.stdout.write(JSON.stringify(report));
}

main(process.argv[2]);
