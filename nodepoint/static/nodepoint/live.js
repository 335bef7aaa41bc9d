"use strict";
/* A page that moves by itself. `data-live` names the address that gives
   {"parts": {name: markup}, "say": sentence, "again": seconds}; each part replaces the element whose
   `data-live-part` has its name. The markup is our own templates', escaped there. */
(() => {
    const root = document.querySelector("[data-live]");
    if (!root) return;
    const say = root.querySelector("[data-live-say]");
    const lost = root.querySelector("[data-live-lost]");
    const shown = new Map();
    let timer = 0;
    let failures = 0;

    function selected(part) {
        const selection = document.getSelection();
        return selection && !selection.isCollapsed && part.contains(selection.anchorNode);
    }

    // The focus stays where it was: on the link that leads to the same place.
    function replace(part, markup) {
        const address = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
        const template = document.createElement("template");
        template.innerHTML = markup;
        part.replaceChildren(template.content);
        if (address === null) return;
        const again = [...part.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === address);
        if (again) again.focus({ preventScroll: true });
    }

    function show(body) {
        for (const part of root.querySelectorAll("[data-live-part]")) {
            const name = part.dataset.livePart;
            const markup = body.parts[name];
            if (markup === undefined || shown.get(name) === markup || selected(part)) continue;
            replace(part, markup);
            shown.set(name, markup);
        }
        if (say && say.textContent !== body.say) say.textContent = body.say;
    }

    async function look() {
        let seconds = 10;
        try {
            const answer = await fetch(root.dataset.live, { headers: { Accept: "application/json" }, cache: "no-store" });
            if (!answer.ok) throw new Error(String(answer.status));
            const body = await answer.json();
            show(body);
            seconds = body.again;
            failures = 0;
        } catch {
            failures += 1;
        }
        if (lost) lost.hidden = failures < 2;
        plan(seconds);
    }

    function plan(seconds) {
        clearTimeout(timer);
        if (!document.hidden) timer = setTimeout(look, 1000 * seconds);
    }

    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
    plan(Number(root.dataset.liveAfter) || 2);
})();
