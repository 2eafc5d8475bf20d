// Takes pictures with Chromium over its DevTools pipe: node look.mjs FOLDER < shots.json
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = process.argv[2];
const shots = JSON.parse(readFileSync(0, "utf8"));
const profile = mkdtempSync(join(tmpdir(), "look-"));
const chromium = spawn("chromium", [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe", `--user-data-dir=${profile}`, "about:blank",
], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const [, , , into, out] = chromium.stdio;

let number = 0;
let heard = "";
const waiting = new Map();
const loads = [];
const take = (message) => {
  if (message.id) {
    waiting.get(message.id)(message.result ?? message);
    waiting.delete(message.id);
  } else if (message.method === "Page.loadEventFired") {
    loads.splice(0).forEach((resolve) => resolve());
  } else if (message.method === "Log.entryAdded" && message.params.entry.level === "error") {
    console.log("  browser says:", message.params.entry.text, message.params.entry.url ?? "");
  }
};
out.setEncoding("utf8");
out.on("data", (piece) => {
  const messages = (heard + piece).split("\0");
  heard = messages.pop();
  messages.forEach((message) => take(JSON.parse(message)));
});
const ask = (method, params = {}, sessionId) => new Promise((resolve) => {
  number += 1;
  waiting.set(number, resolve);
  into.write(JSON.stringify({ id: number, method, params, sessionId }) + "\0");
});
const loaded = () => Promise.race([
  new Promise((resolve) => loads.push(resolve)),
  new Promise((resolve) => setTimeout(resolve, 5000)),
]);

const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
const page = (method, params) => ask(method, params, sessionId);
await page("Page.enable");
await page("Log.enable");
for (const { name, url, cookie, language, script, width, dark, zoom } of shots) {
  await page("Network.clearBrowserCookies");
  if (cookie) await page("Network.setCookie", { url, name: "visit", value: cookie });
  if (language) await page("Network.setCookie", { url, name: "language", value: language });
  await page("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: zoom ?? 1, mobile: false });
  await page("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
  let load = loaded();
  await page("Page.navigate", { url });
  await load;
  if (script) {
    load = script.includes("submit") ? loaded() : Promise.resolve();
    await page("Runtime.evaluate", { expression: script });
    await load;
  }
  await new Promise((resolve) => setTimeout(resolve, 150));
  const { result } = await page("Runtime.evaluate", {
    expression: "[document.documentElement.scrollWidth, document.documentElement.scrollHeight].join()",
  });
  const [wide, high] = result.value.split(",").map(Number);
  if (wide > width) console.log(`  ${name} is ${wide} px wide at ${width}`);
  const clip = { x: 0, y: 0, width, height: Math.min(high, 4000), scale: 1 };
  const { data } = await page("Page.captureScreenshot", { clip, captureBeyondViewport: true });
  writeFileSync(join(folder, `${name}.png`), Buffer.from(data, "base64"));
}
chromium.kill();
await new Promise((resolve) => chromium.on("exit", resolve));
rmSync(profile, { recursive: true, force: true });
