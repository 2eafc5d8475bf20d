// Keeps the list of mails as it is now, and says when the demo is over.
const list = document.getElementById("list");
let shown = list.innerHTML;

async function look() {
  try {
    const answer = await fetch("/list" + location.search);
    const now = await answer.text();
    if (now === shown) return;
    shown = now;
    const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    list.innerHTML = now;
    if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    if (document.querySelector(".empty")) location.reload();
  } catch {
    document.querySelector(".about").textContent = "The demo has ended.";
    clearInterval(looking);
  }
}
const looking = setInterval(look, 1500);
