"use strict";
/* A form that is sent once: a second click, or a second Enter, while the first is on its way does nothing. */
document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-once")) return;
    if (form.dataset.sent) {
        event.preventDefault();
        return;
    }
    form.dataset.sent = "1";
    for (const button of form.querySelectorAll("[type=submit]")) button.setAttribute("aria-disabled", "true");
});
// The browser's way back shows the page as it was left.
window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-once]")) {
        delete form.dataset.sent;
        for (const button of form.querySelectorAll("[type=submit]")) button.removeAttribute("aria-disabled");
    }
});
