// Hands: a finger on a phone, a mouse at a desk, or the keyboard alone.

export function hands(task, page) {
  if (task.keyboard) return new Keyboard(page);
  return new Pointer(page, task.viewport === "phone");
}

class Pointer {
  constructor(page, finger) {
    this.page = page;
    this.finger = finger;
  }

  async press(target) {
    await (this.finger ? target.tap() : target.click());
  }

  async type(target, text) {
    await target.fill(text);
  }

  async tick(target) {
    await target.check();
  }

  async untick(target) {
    await target.uncheck();
  }

  async choose(target, label) {
    await target.selectOption({ label });
  }

  async attach(target, files) {
    await target.setInputFiles(files);
  }
}

// Whatever is done must be reachable by Tab, show that it is reached, and obey Enter or Space.
class Keyboard {
  constructor(page) {
    this.page = page;
  }

  async reach(target) {
    const wanted = await target.elementHandle();
    for (let tabs = 0; tabs < 120; tabs += 1) {
      const here = await this.page.evaluate((element) => document.activeElement === element, wanted);
      if (here) return this.seen(target);
      await this.page.keyboard.press("Tab");
    }
    throw new Error(`the keyboard does not reach ${target}`);
  }

  async seen(target) {
    const shown = await target.evaluate((element) => {
      const marks = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== "none";
      // What is drawn beside a hidden field (a tick, a label) may carry the mark for it.
      return [element, element.parentElement, element.nextElementSibling].some((it) => it && marks(getComputedStyle(it)));
    });
    if (!shown) throw new Error(`nothing shows that the keyboard has reached ${target}`);
  }

  async press(target) {
    await this.reach(target);
    await this.page.keyboard.press("Enter");
  }

  async type(target, text) {
    await this.reach(target);
    await this.page.keyboard.press("ControlOrMeta+A");
    await this.page.keyboard.type(text);
  }

  async tick(target) {
    await this.reach(target);
    if (!(await target.isChecked())) await this.page.keyboard.press("Space");
  }

  async untick(target) {
    await this.reach(target);
    if (await target.isChecked()) await this.page.keyboard.press("Space");
  }

  async choose(target, label) {
    await this.reach(target);
    await this.page.keyboard.type(label);
  }

  async attach(target, files) {
    // On a busy machine the key may come before Chromium knows that somebody waits for a chooser; then none is told of.
    for (let left = 9; ; left -= 1) {
      await this.reach(target);
      const chooser = this.page.waitForEvent("filechooser", { timeout: 10_000 });
      await this.page.keyboard.press("Enter");
      try {
        return await (await chooser).setFiles(files);
      } catch (error) {
        if (left === 1) throw error;
      }
    }
  }
}
