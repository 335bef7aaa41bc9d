"use strict";
// Keeps the first page true while somebody looks at it: jobs in flight every 2 s, what needs a human every 15 s
// and whenever a job has ended. Nothing is asked for by a page that nobody sees.
(() => {
  const flight = document.getElementById("np-flight");
  const needs = document.getElementById("np-needs");
  const said = document.getElementById("np-flight-said");
  const JOBS_EVERY = 2000;
  const NEEDS_EVERY = 15000;
  let needsDue = Date.now() + NEEDS_EVERY;
  let busy = false;

  const ask = async (url) => {
    const answer = await fetch(url, { headers: { Accept: "*/*" }, credentials: "same-origin" });
    if (answer.redirected || answer.status === 403) {
      location.reload(); // the session has ended
      throw new Error("no session");
    }
    if (!answer.ok) throw new Error(answer.statusText);
    return answer;
  };

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const newLine = (job) => {
    const line = element("li");
    line.dataset.job = job.id;
    const link = element("a", "", `${job.title}: `);
    link.href = job.url;
    link.append(element("bdi", "", job.about));
    const bar = element("progress");
    bar.max = 100;
    bar.setAttribute("aria-label", `${job.title}: ${job.about}`);
    line.append(link, " ", element("span", "np-state"), " ", bar, " ", element("span", "np-step"));
    return line;
  };

  const show = (line, job) => {
    const left = job.eta === null ? "" : `, about ${job.eta} s left`;
    line.querySelector(".np-state").textContent = job.state;
    line.querySelector("progress").value = job.percent;
    line.querySelector(".np-step").textContent = `${job.percent} %: ${job.step}${left}`;
  };

  const lookAtJobs = async () => {
    const { jobs, more } = await (await ask(flight.dataset.url)).json();
    const list = flight.querySelector(".np-jobs");
    const known = new Map([...list.children].map((line) => [line.dataset.job, line]));
    let ended = 0;
    for (const [id, line] of known) {
      if (jobs.some((job) => job.id === id)) continue;
      line.remove();
      ended += 1;
    }
    for (const job of jobs) {
      const line = known.get(job.id) || list.appendChild(newLine(job));
      show(line, job);
    }
    flight.querySelector(".np-none").hidden = jobs.length > 0;
    const rest = flight.querySelector(".np-more");
    rest.hidden = more === 0;
    rest.querySelector("span").textContent = more;
    if (ended) {
      said.textContent = ended === 1 ? "A job has ended." : `${ended} jobs have ended.`;
      needsDue = 0;
    }
  };

  const lookAtNeeds = async () => {
    needsDue = Date.now() + NEEDS_EVERY;
    if (needs.contains(document.activeElement) || needs.querySelector("details[open]")) return; // somebody is at it
    const page = new DOMParser().parseFromString(await (await ask(needs.dataset.url)).text(), "text/html");
    needs.replaceChildren(...page.body.childNodes);
  };

  const look = async () => {
    if (document.hidden || busy) return;
    busy = true;
    try {
      if (flight) await lookAtJobs();
      if (needs && Date.now() >= needsDue) await lookAtNeeds();
    } catch {
      // The server is being restarted, or the network is away: the next look tells.
    } finally {
      busy = false;
    }
  };

  if (flight || needs) {
    setInterval(look, JOBS_EVERY);
    document.addEventListener("visibilitychange", look);
  }
})();
