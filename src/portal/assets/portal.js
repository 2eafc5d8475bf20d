// What a browser with scripts does better; every page works without. No libraries, nothing from elsewhere.
"use strict";

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// A password can be looked at before it is sent.
function showPasswords() {
  for (const input of document.querySelectorAll("input[data-show]")) {
    const button = make("button", { type: "button", className: "button quiet", textContent: input.dataset.show });
    button.setAttribute("aria-controls", input.id);
    button.addEventListener("click", () => {
      const hidden = input.type === "password";
      input.type = hidden ? "text" : "password";
      button.textContent = hidden ? input.dataset.hide : input.dataset.show;
      button.setAttribute("aria-pressed", String(hidden));
    });
    input.form.addEventListener("submit", () => { input.type = "password"; });
    input.after(button);
  }
}

// The frame of a message is as high as what is in it.
function fitFrames() {
  for (const frame of document.querySelectorAll("iframe.body")) {
    const fit = () => {
      const inner = frame.contentDocument;
      if (inner && inner.documentElement) {
        frame.style.height = `${Math.min(inner.documentElement.scrollHeight + 4, 20000)}px`;
      }
    };
    frame.addEventListener("load", fit);
    window.addEventListener("resize", fit);
    fit();
  }
}

const size = (octets) => {
  const unit = octets < 1e6 ? "kilobyte" : "megabyte";
  const value = octets < 1e6 ? Math.ceil(octets / 1e3) : octets / 1e6;
  const format = { style: "unit", unit, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(document.documentElement.lang, format).format(value);
};

// Files are gathered from the chooser and from what is dropped, listed, and can be taken out again.
function gatherFiles(form) {
  const field = form.querySelector(".drop");
  if (!field) return;
  const input = field.querySelector("input[type=file]");
  const list = make("ul", { className: "chosen" });
  const word = make("p", { className: "fault" });
  word.setAttribute("role", "status");
  const said = field.dataset;
  let files = [];
  const show = () => {
    const held = new DataTransfer();
    files.forEach((file) => held.items.add(file));
    input.files = held.files;
    list.replaceChildren(...files.map((file, index) => {
      const remove = make("button", { type: "button", className: "plain" }, said.remove);
      remove.append(make("span", { className: "hidden", textContent: " " + file.name }));
      remove.addEventListener("click", () => {
        files.splice(index, 1);
        word.textContent = "";
        show();
        input.focus();
      });
      return make("li", {}, make("span", { textContent: `${file.name}, ${size(file.size)}` }), remove);
    }));
  };
  const add = (more) => {
    word.textContent = "";
    for (const file of more) {
      const all = files.reduce((sum, one) => sum + one.size, file.size);
      if (files.length >= Number(said.most)) word.textContent = said.many;
      else if (file.size > Number(said.octets) || all > Number(said.all)) word.textContent = `${file.name}: ${said.large}`;
      else files.push(file);
    }
    show();
  };
  input.addEventListener("change", () => add([...input.files]));
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    field.addEventListener(name, (event) => {
      event.preventDefault();
      field.classList.toggle("over", name === "dragenter" || name === "dragover");
      if (name === "drop") add([...event.dataTransfer.files]);
    });
  }
  field.append(make("p", { className: "hint", textContent: said.drop }), word, list);
}

// A reply is sent with a bar that shows how far it is; a connection that breaks off loses nothing.
function sendReply(form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button.button");
    form.querySelector(".sending")?.remove();
    const bar = make("progress", { max: 1, value: 0 });
    const word = make("p", { className: "meta", textContent: form.dataset.sending });
    const status = make("div", { className: "sending" }, word, bar);
    status.setAttribute("role", "status");
    button.before(status);
    button.disabled = true;
    const request = new XMLHttpRequest();
    const broken = () => {
      button.disabled = false;
      bar.remove();
      word.className = "fault";
      word.textContent = form.dataset.broken;
    };
    request.open("POST", form.action);
    request.responseType = "document";
    request.upload.addEventListener("progress", (at) => {
      if (at.lengthComputable) bar.value = at.loaded / at.total;
    });
    request.addEventListener("error", broken);
    request.addEventListener("load", () => {
      const answer = request.responseXML;
      const summary = answer && answer.querySelector("main .summary");
      if (request.status === 422 && summary) {
        // The faults are shown here, so that the files chosen stay chosen.
        document.querySelector("main .summary")?.remove();
        form.before(document.adoptNode(summary));
        document.querySelector("main .summary").focus();
        status.remove();
        button.disabled = false;
      } else if (request.status < 400) {
        location.assign(request.responseURL);
      } else if (answer && answer.querySelector("main")) {
        document.querySelector("main").replaceWith(document.adoptNode(answer.querySelector("main")));
        document.querySelector("main").focus();
      } else {
        broken();
      }
    });
    request.send(new FormData(form));
  });
}

showPasswords();
fitFrames();
for (const form of document.querySelectorAll("form#reply")) {
  gatherFiles(form);
  sendReply(form);
}
document.querySelector(".summary")?.focus();
