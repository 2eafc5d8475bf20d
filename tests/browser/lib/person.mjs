// What a person does on the portal's pages. Fields are found by their names, everything else by its role.

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
    return this.page.locator(`main [name="${name}"]:not([type=hidden])`);
  }

  async has(name) {
    return (await this.field(name).count()) > 0;
  }

  // The button of the page's one question.
  button() {
    return this.page.locator('main form[method="post"] button.button:not(.quiet):not([type=button])').first();
  }

  path() {
    return new URL(this.page.url()).pathname;
  }

  // Presses, and waits until the page that follows is there.
  async go(target) {
    const follows = this.page.waitForEvent("framenavigated", { predicate: (frame) => frame === this.page.mainFrame() });
    await this.hands.press(target);
    await follows;
    await this.page.waitForLoadState("load");
  }

  // Sends a form that is wrong: it stays, says so at its top and beside the field, and keeps what was typed.
  async goWrong(name, field) {
    this.browser.expectsRefusal = true;
    await this.page.evaluate(() => document.querySelector("main .summary")?.setAttribute("data-before", ""));
    await this.hands.press(this.button());
    await this.page.locator("main [role=alert]:not([data-before])").first().waitFor();
    await this.page.waitForLoadState("load");
    const beside = this.page.locator(`main #${field}-fault`);
    if ((await beside.count()) === 0) this.browser.fault(`${name}: no word stands beside the field ${field}`);
    const focused = await this.page.evaluate(() => document.activeElement?.closest("[role=alert]") !== null);
    if (!focused && this.task.javascript !== false) this.browser.fault(`${name}: the summary of faults has no focus`);
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
