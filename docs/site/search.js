/* Search without a server: index.js has the sections of all pages, here they are ranked and shown. */
"use strict";

function words_of(text) {
  return text.toLowerCase().split(/[^a-z0-9_.-]+/).filter(Boolean);
}

/* The sections that have all words, best first. A word counts most in a section's title, then in its
 * page's, then by how often the text has it; whole words more than parts of others. */
function find(index, query) {
  const words = words_of(query);
  const count = (text, word) => text.split(word).length - 1;
  const whole = (text, word) => words_of(text).includes(word);
  const score = section => {
    let sum = 0;
    for (const word of words) {
      const title = section.title.toLowerCase(), page = section.page.toLowerCase(), text = section.text.toLowerCase();
      const n = count(text, word);
      const points = 40 * whole(title, word) + 10 * title.includes(word) + 5 * page.includes(word) +
        3 * whole(text, word) + Math.min(n, 5);
      if (!points) return 0;
      sum += points;
    }
    return sum;
  };
  return words.length === 0 ? [] : index.map(section => ({ section, score: score(section) }))
    .filter(hit => hit.score > 0).sort((a, b) => b.score - a.score).map(hit => hit.section);
}

/* Some text around the first word. */
function excerpt(text, query) {
  const at = Math.max(0, text.toLowerCase().indexOf(words_of(query)[0]) - 60);
  const from = at > 0 ? text.indexOf(" ", at) + 1 : 0;
  return (from > 0 ? "\u2026 " : "") + text.slice(from, from + 180) + (text.length > from + 180 ? " \u2026" : "");
}

function show(query) {
  const hits = find(site_index, query), found = document.getElementById("found");
  found.replaceChildren();
  if (words_of(query).length === 0) return;
  const said = document.createElement("p"), list = document.createElement("ol");
  said.textContent = hits.length === 0 ? "Nothing has all of these words." :
    hits.length + (hits.length === 1 ? " section" : " sections") + (hits.length > 20 ? ", the best 20:" : ":");
  for (const hit of hits.slice(0, 20)) {
    const item = document.createElement("li"), link = document.createElement("a"), text = document.createElement("p");
    link.href = hit.href;
    link.textContent = hit.title === hit.page ? hit.page : hit.page + ": " + hit.title;
    text.textContent = excerpt(hit.text, query);
    item.append(link, text);
    list.append(item);
  }
  found.append(said, list);
}

if (typeof document !== "undefined") {
  const box = document.getElementById("search");
  box.closest("label").hidden = false;
  box.addEventListener("input", () => show(box.value));
  if (matchMedia("(max-width: 50rem)").matches) document.querySelector("nav.contents details").open = false;
}
