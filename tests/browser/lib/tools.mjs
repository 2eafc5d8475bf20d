// What npm installed into target/tools, from wherever this is started.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../../../target/tools/node_modules/", import.meta.url)));

export const { chromium } = require("playwright-core");
export const { simpleParser } = require("mailparser");
export const axeSource = require("axe-core").source;

// The task of a script: one JSON object on standard input.
export async function task() {
  let text = "";
  for await (const piece of process.stdin) text += piece;
  return JSON.parse(text);
}

// Its result: one JSON object on standard output, also where it broke off.
export async function report(run) {
  const result = { faults: [], steps: [] };
  try {
    await run(result);
  } catch (error) {
    result.faults.push(`broke off after "${result.steps.at(-1) ?? "nothing"}": ${error.stack ?? error}`);
  }
  process.stdout.write(JSON.stringify(result, null, 1));
}
