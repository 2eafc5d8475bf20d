// What a person does on the portal's pages. Fields are found by their names, everything else by role.

export class Person {
  constructor(task, browser, hands) {
    this.task = task;
    this.browser = browser;
    this.hands = hands;
  }

  get page() {
    return this.browser.page;
  }

  field(name) {
    return this.page.locator(`main [name="${name}"]`);
  }

  async has(name) {
    return (await this.field(name).count()) > 0;
  }

  // The button of the page's own form.
  button() {
    return this.page.locator("main form button.primary, main form button[type=submit]").first();
  }

  async path() {
    return new URL(this.page.url()).pathname;
  }

  // Presses, and waits until the page that follows is there.
  async go(target) {
    const before = this.page.waitForEvent("framenavigated", { predicate: (frame) => frame === this.page.mainFrame() });
    await this.hands.press(target);
    await before;
    await this.page.waitForLoadState("load");
  }

  // A form with faults stays, says so at its top, and keeps what was typed.
  async expectFaults(name) {
    this.browser.expectsRefusal = true;
    const summary = this.page.locator("main [role=alert]").first();
    await summary.waitFor();
    await this.browser.look(name);
    this.browser.expectsRefusal = false;
  }

  async fill(answers) {
    for (const [name, value] of Object.entries(answers)) {
      const field = this.field(name).first();
      if ((await field.count()) === 0) continue;
      const kind = await field.evaluate((element) => element.type ?? element.localName);
      if (kind === "checkbox") await this.hands.tick(field);
      else if (kind === "select-one") await this.hands.choose(field, value);
      else await this.hands.type(field, value);
    }
  }

  async birthdate(date) {
    const [year, month, day] = date.split("-");
    await this.fill({ "birthdate-day": day, "birthdate-month": month, "birthdate-year": year });
  }
}
