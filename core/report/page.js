/* The page of `anpe report`: shows the data that stands above it. Every name and text from a file
 * becomes a text node, never markup. */
"use strict";
(function () {
const SVG = "http://www.w3.org/2000/svg";
const ROWS = 100;  /* of the table that are in the document at once */
const data = JSON.parse(document.getElementById("data").textContent);
const main = document.getElementById("main");

/* ---- elements and numbers ---------------------------------------------------------------- */

function make(space, name, attributes, children) {
  const e = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) e.setAttribute(key, value);
  }
  for (const c of children) if (c !== null && c !== undefined) e.append(c);
  return e;
}
const el = (name, attributes, ...children) => make("", name, attributes, children);
const draw = (name, attributes, ...children) => make(SVG, name, attributes, children);

function number(x, digits) {
  if (x === null || !isFinite(x)) return "";
  const n = Number.isInteger(x) ? x : Number(x.toPrecision(digits || 5));
  return String(n).replace("-", "\u2212");
}
/* To the digits that its error leaves. */
function measured(x, sd) {
  if (x === null || !(sd > 0)) return number(x);
  const places = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(sd))));
  return x.toFixed(places).replace("-", "\u2212");
}
const named = (name, unit) => unit ? name + " [" + unit + "]" : name;

/* ---- figures ----------------------------------------------------------------------------- */

function ticks(lo, hi, about) {
  const raw = (hi - lo) / about, power = Math.pow(10, Math.floor(Math.log10(raw)));
  const step = power * ([1, 2, 5, 10].find(s => s * power >= raw) || 10), list = [];
  for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + 1e-9 * step; k++)
    list.push(Number((k * step).toPrecision(12)));
  return list;
}

/* A box with axes. x, y: {range: [left or lower end, other end], title, ticks, bare}. */
function panel(into, box, x, y) {
  const X = v => box[0] + (v - x.range[0]) / (x.range[1] - x.range[0]) * box[2];
  const Y = v => box[1] + box[3] - (v - y.range[0]) / (y.range[1] - y.range[0]) * box[3];
  const right = box[0] + box[2], bottom = box[1] + box[3];
  const frame = draw("path", {d: `M${box[0]} ${box[1]}H${right}V${bottom}H${box[0]}Z`, fill: "none",
                              stroke: "#555"});
  into.append(frame);
  for (const v of ticks(Math.min(...x.range), Math.max(...x.range), x.ticks || 5)) {
    into.append(draw("path", {d: `M${X(v)} ${bottom}v-5`, stroke: "#555"}));
    if (!x.bare) into.append(draw("text", {x: X(v), y: bottom + 14, "text-anchor": "middle"}, number(v, 8)));
  }
  for (const v of ticks(Math.min(...y.range), Math.max(...y.range), y.ticks || 4)) {
    into.append(draw("path", {d: `M${box[0]} ${Y(v)}h5`, stroke: "#555"}));
    if (!y.bare) into.append(draw("text", {x: box[0] - 4, y: Y(v) + 4, "text-anchor": "end"}, number(v, 8)));
  }
  if (x.title)
    into.append(draw("text", {x: box[0] + box[2] / 2, y: bottom + 31, "text-anchor": "middle"}, x.title));
  if (y.title) {
    const at = [box[0] - (y.room || 44), box[1] + box[3] / 2];
    into.append(draw("text", {x: at[0], y: at[1], "text-anchor": "middle",
                              transform: `rotate(-90 ${at[0]} ${at[1]})`}, y.title));
  }
  return {X, Y, box, into};
}
function picture(width, height, title) {
  return draw("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title},
              draw("title", {}, title));
}
/* Dots as one path: many points stay quick. */
function dots(p, xs, ys, size, colour, opacity) {
  const d = [];
  for (let i = 0; i < xs.length; i++) d.push(`M${p.X(xs[i]).toFixed(1)} ${p.Y(ys[i]).toFixed(1)}h0`);
  p.into.append(draw("path", {d: d.join(""), fill: "none", stroke: colour, "stroke-width": size,
                              "stroke-linecap": "round", "stroke-opacity": opacity}));
}
function bars(p, counts, lo, hi) {
  const w = (hi - lo) / counts.length, d = [`M${p.X(lo)} ${p.Y(0)}`];
  counts.forEach((c, k) => d.push(`V${p.Y(c).toFixed(1)}H${p.X(lo + (k + 1) * w).toFixed(1)}`));
  d.push(`V${p.Y(0)}Z`);
  p.into.append(draw("path", {d: d.join(""), fill: "#cfe0ec", stroke: "#00538a"}));
}
function extent(values) {
  let lo = Infinity, hi = -Infinity;
  for (const v of values) if (v !== null) { lo = Math.min(lo, v); hi = Math.max(hi, v); }
  if (!(hi > lo)) { const m = isFinite(lo) ? lo : 0; return [m - 1, m + 1]; }
  return [lo - .04 * (hi - lo), hi + .04 * (hi - lo)];
}
/* As wide as there is room for, so that its letters keep their size on a phone. */
const room = () => Math.max(340, Math.min(1200, main.clientWidth || 1000));
function figure(svg, caption, wide) {
  return el("figure", {class: wide ? "wide" : null}, svg, el("figcaption", {}, caption));
}

/* ---- the page of a model ----------------------------------------------------------------- */

function table(caption, heads, rows) {
  return el("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": caption},
    el("table", {class: "short"}, el("caption", {class: "dim"}, caption),
      el("thead", {}, el("tr", {}, ...heads.map((h, k) =>
        el("th", {scope: "col", class: rows.every(r => typeof r[k] === "number" || r[k] === null) ? null : "text"}, h)))),
      el("tbody", {}, ...rows.map(row => el("tr", {}, ...row.map((c, k) =>
        k ? el("td", {class: typeof c === "number" || c === null ? null : c.length > 30 ? "text wrap" : "text"},
               typeof c === "number" ? number(c) : c === null ? "" : c)
          : el("th", {scope: "row"}, c)))))));
}
function facts(pairs) {
  return el("dl", {}, ...pairs.flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, v)]));
}
function show_model() {
  document.getElementById("summary").textContent = data.verdict;
  main.append(el("section", {}, el("h2", {}, "The model"), facts(data.facts)),
              el("section", {}, el("h2", {}, "Labels"), table("Labels of the posterior", data.heads, data.labels)));
  if (data.text)
    main.append(el("section", {}, el("h2", {}, "Certificate"), el("pre", {tabindex: 0}, data.text)));
  const figures = el("div", {class: "figures"});
  for (const f of data.figures)
    figures.append(figure(el("img", {src: "data:image/svg+xml;base64," + f.svg, alt: f.alt}), f.title, true));
  main.append(el("section", {}, el("h2", {}, "Figures"),
                 data.note ? el("p", {}, data.note) : null, figures));
}

/* ---- the columns of a catalogue ---------------------------------------------------------- */

const column = {};
for (const c of data.columns || []) column[c.name] = c;
const rows = data.n || 0;
const is_real = n => column[n] && !column[n].text;
const labels = Object.keys(column).filter(n => ["", "_sd", "_p16", "_p84"].every(s => is_real(n + s)));
const name_of = r => column.id ? column.id.values[r] : "row " + r;
const bits = r => column.flags ? column.flags.values[r] || 0 : 0;
const failed = r => (bits(r) & 1) === 1;
function flags_of(r) {
  return (data.flags || []).filter((f, b) => Math.floor(bits(r) / Math.pow(2, b)) % 2 === 1).map(f => f[0]);
}
const has_flag = (r, b) => Math.floor(bits(r) / Math.pow(2, b)) % 2 === 1;

function plain(c) {
  return {name: c.name, title: named(c.name, c.unit), help: c.help, text: c.text, key: r => c.values[r],
          cell: r => c.text ? c.values[r] : number(c.values[r], 10)};
}
function short_columns() {
  const list = [];
  if (column.flags) list.push({name: "flags", title: "flags", help: "what the flags mean is said above",
    text: true, key: r => flags_of(r).join(" "), cell: r => el("span", {class: "flagged"}, flags_of(r).join(" "))});
  for (const l of labels) list.push({name: l, title: named(l, column[l].unit),
    help: "posterior median and standard deviation", key: r => column[l].values[r],
    cell: r => column[l].values[r] === null ? "" : el("span", {},
      measured(column[l].values[r], column[l + "_sd"].values[r]),
      el("span", {class: "small"}, " \u00b1 " + number(column[l + "_sd"].values[r], 2)))});
  if (is_real("chi2") && is_real("n_good")) {
    const ratio = r => column.chi2.values[r] === null || !column.n_good.values[r] ? null
                       : column.chi2.values[r] / column.n_good.values[r];
    list.push({name: "chi2/N", title: "chi\u00b2/N", help: "chi2 at the median labels per good pixel",
               key: ratio, cell: r => number(ratio(r), 3)});
  }
  if (is_real("snr")) list.push(Object.assign(plain(column.snr), {cell: r => number(column.snr.values[r], 3)}));
  return list.length ? list : all_columns();
}
const all_columns = () => data.columns.filter(c => c.name !== "id").map(plain);

/* ---- filter and order -------------------------------------------------------------------- */

const state = {filter: "", only: new Set(), sort: null, down: false, from: 0, all: false, order: []};
let searched = null;  /* the texts of each row, made when a word is first looked for */

function texts_of(r) {
  if (!searched) searched = [];
  if (searched[r] === undefined)
    searched[r] = data.columns.filter(c => c.text).map(c => c.values[r]).concat(flags_of(r)).join("\n").toLowerCase();
  return searched[r];
}
const compare = {"<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
                 "=": (a, b) => a === b, "!=": (a, b) => a !== b};
/* "teff>5000 HD": conditions that all hold; one of an unknown column, or of no number, is an error. */
function parse(text) {
  return (text.match(/"[^"]*"|\S+/g) || []).map(term => {
    const m = /^([A-Za-z_][\w/]*)(<=|>=|!=|=|<|>)(.*)$/.exec(term);
    if (!m) {
      const word = term.replace(/"/g, "").toLowerCase();
      return r => texts_of(r).includes(word);
    }
    const c = short_columns().concat(all_columns()).find(k => k.name === m[1] && (!k.text || m[1] !== "flags"))
              || (m[1] === "id" && column.id ? plain(column.id) : null);
    if (!c) throw new Error("There is no column \u201c" + m[1] + "\u201d.");
    const value = c.text ? m[3] : Number(m[3]);
    if (!c.text && (m[3] === "" || isNaN(value)))
      throw new Error("\u201c" + m[3] + "\u201d behind " + m[1] + m[2] + " is not a number.");
    return r => c.key(r) !== null && compare[m[2]](c.key(r), value);
  });
}
function choose_rows() {
  const tests = parse(state.filter), list = [];
  for (let r = 0; r < rows; r++)
    if ((!state.only.size || [...state.only].some(b => has_flag(r, b))) && tests.every(t => t(r))) list.push(r);
  if (state.sort) {
    const key = state.sort.key, sign = state.down ? -1 : 1, keys = new Array(rows);
    for (const r of list) keys[r] = key(r);
    const none = v => v === null || v === undefined || v === "" || v !== v;
    list.sort((a, b) => none(keys[a]) || none(keys[b]) ? none(keys[a]) - none(keys[b]) || a - b
                        : keys[a] < keys[b] ? -sign : keys[a] > keys[b] ? sign : a - b);
  }
  state.order = list;
}

/* ---- the overview ------------------------------------------------------------------------ */

let parts = {};
function histogram_of(l) {
  const values = state.order.map(r => column[l].values[r]).filter(v => v !== null);
  const title = named(l, column[l].unit), svg = picture(330, 210, "Distribution of " + title);
  const n = Math.max(6, Math.min(30, Math.round(Math.sqrt(values.length))));
  const range = extent(values), count = new Array(n).fill(0);
  for (const v of values) count[Math.min(n - 1, Math.floor(n * (v - range[0]) / (range[1] - range[0])))]++;
  const p = panel(svg, [52, 8, 270, 160], {range, title}, {range: [0, 1.08 * Math.max(1, ...count)], ticks: 3});
  bars(p, count, range[0], range[1]);
  const sds = state.order.map(r => column[l + "_sd"].values[r]).filter(v => v !== null).sort((a, b) => a - b);
  return figure(svg, `${values.length} stars; usual posterior sd ${number(sds[sds.length >> 1] ?? null, 2)} ${column[l].unit}`);
}
function kiel() {
  const both = state.order.filter(r => column.teff.values[r] !== null && column.logg.values[r] !== null);
  const t = both.map(r => column.teff.values[r]), g = both.map(r => column.logg.values[r]);
  const svg = picture(330, 300, `Kiel diagram: logg against teff of ${both.length} stars`);
  const p = panel(svg, [52, 8, 270, 250], {range: extent(t).reverse(), title: named("teff", column.teff.unit)},
                  {range: extent(g).reverse(), title: named("logg", column.logg.unit), room: 36});
  const size = both.length > 2000 ? 2 : 4, marked = r => (bits(r) & ~2048) !== 0;
  for (const [which, colour] of [[false, "#00538a"], [true, "#c8530a"]]) {
    const these = both.filter(r => marked(r) === which);
    dots(p, these.map(r => column.teff.values[r]), these.map(r => column.logg.values[r]), size, colour, .6);
  }
  const n = both.filter(marked).length;
  return figure(svg, `Kiel diagram: ${both.length - n} stars without flags in blue, ${n} with flags in orange`);
}
function draw_figures() {
  const list = labels.map(histogram_of);
  if (column.teff && column.logg && labels.includes("teff") && labels.includes("logg")) list.unshift(kiel());
  parts.figures.replaceChildren(...list);
}
function flag_table() {
  const counts = data.flags.map(() => 0);
  for (let r = 0; r < rows; r++) data.flags.forEach((f, b) => { counts[b] += has_flag(r, b); });
  const list = data.flags.map((f, b) => ({f, b})).filter(o => counts[o.b]);
  if (!list.length) return el("p", {}, "No star has a flag.");
  return table("Flags, how many stars have them, and what they mean", ["flag", "stars", "meaning", "show only"],
    list.map(({f, b}) => [f[0], counts[b], f[1], el("label", {}, el("input", {type: "checkbox",
      "aria-label": "show only stars with " + f[0],
      onchange: e => { e.target.checked ? state.only.add(b) : state.only.delete(b); refresh(); }}), " only")]));
}
function sort_by(c) {
  state.down = state.sort && state.sort.name === c.name ? !state.down : false;
  state.sort = c;
  refresh(true);
}
function draw_head() {
  const list = state.all ? all_columns() : short_columns();
  const head = c => el("th", {scope: "col", class: c.text ? "text" : null, title: c.help || null,
    "aria-sort": state.sort && state.sort.name === c.name ? (state.down ? "descending" : "ascending") : "none"},
    el("button", {type: "button", onclick: () => {
      sort_by(c);
      parts.head.querySelectorAll("button")[at.indexOf(c.name)].focus();
    }}, c.title));
  const first = {name: "id", title: column.id ? "star" : "row", text: true, key: r => column.id ? name_of(r) : r};
  const at = [first].concat(list).map(c => c.name);
  parts.head.replaceChildren(el("tr", {"aria-rowindex": 1}, ...[first].concat(list).map(head)));
  return list;
}
function draw_rows() {
  const list = draw_head(), n = state.order.length, end = Math.min(n, state.from + ROWS);
  parts.body.replaceChildren(...state.order.slice(state.from, end).map((r, k) =>
    el("tr", {"aria-rowindex": state.from + k + 2},
      el("th", {scope: "row"}, el("button", {type: "button", "data-row": r, title: name_of(r),
                                            onclick: () => { location.hash = "star=" + r; }}, name_of(r))),
      ...list.map(c => el("td", {class: c.text ? "text" : null}, c.cell(r))))));
  parts.table.setAttribute("aria-rowcount", n + 1);
  parts.status.textContent = n ? `${state.from + 1} to ${end} of ${n} stars` + (n < rows ? `, chosen from ${rows}` : "")
                               : "No star is left by this filter.";
  parts.back.disabled = state.from === 0;
  parts.on.disabled = end >= n;
}
function refresh(same_rows) {
  try {
    choose_rows();
    parts.error.textContent = "";
  } catch (e) {
    parts.error.textContent = e.message;
    return;
  }
  state.from = 0;
  draw_rows();
  if (same_rows !== true) draw_figures();
}
function go(step) {
  state.from = Math.max(0, state.from + step * ROWS);
  draw_rows();
  parts.box.scrollIntoView();
}
function overview() {
  let wait = 0;
  const search = el("input", {type: "search", id: "filter", "aria-describedby": "filter-help",
    placeholder: "teff>5000 snr>50 2M07", oninput: e => {
      state.filter = e.target.value;
      clearTimeout(wait);
      wait = setTimeout(refresh, 120);
    }});
  parts.figures = el("div", {class: "figures"});
  parts.error = el("p", {role: "alert", class: "flagged", id: "filter-error"});
  parts.status = el("span", {role: "status", id: "status"});
  parts.head = el("thead");
  parts.body = el("tbody");
  parts.table = el("table", {id: "stars"}, el("caption", {class: "dim"}, "Stars: a name opens what is known of one; a heading sorts"),
                   parts.head, parts.body);
  parts.box = el("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": "table of stars"}, parts.table);
  parts.back = el("button", {type: "button", onclick: () => go(-1)}, "Previous " + ROWS);
  parts.on = el("button", {type: "button", id: "next", onclick: () => go(1)}, "Next " + ROWS);
  parts.overview = el("div", {id: "overview"},
    column.flags ? el("section", {}, el("h2", {}, "Flags"), flag_table()) : null,
    el("section", {}, el("h2", {}, "Stars"),
      el("div", {class: "controls"}, el("label", {for: "filter"}, "Filter"), search,
        el("label", {}, el("input", {type: "checkbox", onchange: e => { state.all = e.target.checked; draw_rows(); }}),
           " all columns")),
      el("p", {class: "dim small", id: "filter-help"},
         "Words that a star's texts or flags have, or conditions such as teff>5000; all of them must hold."),
      parts.error, parts.box, el("div", {class: "controls"}, parts.back, parts.on, parts.status)),
    labels.length ? el("section", {}, el("h2", {}, "Distributions of the stars that are shown"), parts.figures) : null,
    el("section", {}, el("h2", {}, "Where the numbers come from"), facts(data.keywords)));
  main.append(parts.overview);
  choose_rows();
  draw_rows();
  setTimeout(draw_figures);  /* the table first */
}

/* ---- one star ---------------------------------------------------------------------------- */

function bytes(text) {
  const raw = atob(text), list = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) list[i] = raw.charCodeAt(i);
  return list;
}
/* Steps of two bytes; the last one is none. */
function pixels(o) {
  const b = bytes(o.data), list = new Float64Array(b.length / 2);
  for (let i = 0; i < list.length; i++) {
    const step = b[2 * i] + 256 * b[2 * i + 1];
    list[i] = step === 65535 ? NaN : o.lo + step / 65534 * (o.hi - o.lo);
  }
  return list;
}
const place = i => data.wavelength ? data.wavelength[i] : i;

/* Pixels from to end as a line that breaks at bad ones; where there are more than the figure has
 * columns, the least and the most of each. */
function line(p, y, from, end, colour, width) {
  const d = [], group = Math.max(1, Math.floor((end - from) / 1500));
  let pen = false;
  for (let i = from; i < end; i += group) {
    let lo = Infinity, hi = -Infinity;
    for (let k = i; k < Math.min(end, i + group); k++)
      if (y[k] === y[k]) { lo = Math.min(lo, y[k]); hi = Math.max(hi, y[k]); }
    if (!(lo <= hi)) { pen = false; continue; }
    const x = p.X(place(i)).toFixed(1);
    d.push(`${pen ? "L" : "M"}${x} ${p.Y(lo).toFixed(1)}`);
    if (hi > lo) d.push(`L${x} ${p.Y(hi).toFixed(1)}`);
    pen = true;
  }
  p.into.append(draw("path", {d: d.join(""), fill: "none", stroke: colour, "stroke-width": width,
                              "stroke-linejoin": "round"}));
}
function segments() {
  const list = [];
  for (let s = 0; s + 1 < data.segment.length; s++)
    if (data.segment[s + 1] > data.segment[s]) list.push([data.segment[s], data.segment[s + 1]]);
  return list;
}
const axis = (from, end) => ({range: [place(from), place(end - 1)], ticks: room() < 600 ? 3 : 6,
                              title: data.wavelength ? "wavelength [\u00c5, vacuum]" : "pixel"});
function fit_figures(fit) {
  const flux = pixels(fit.flux), model = pixels(fit.model), residual = pixels(fit.residual);
  return segments().map(([from, end]) => {
    const width = room(), svg = picture(width, 330, "Observed spectrum, model at the median labels, and residuals");
    const y = extent(Array.from(flux.subarray(from, end)).concat(Array.from(model.subarray(from, end)))
                       .filter(v => v === v));
    const x = axis(from, end);
    const top = panel(svg, [60, 8, width - 70, 180], Object.assign({}, x, {bare: true, title: null}),
                      {range: y, title: "flux"});
    line(top, flux, from, end, "#767676", 1);
    line(top, model, from, end, "#00538a", 1.2);
    const low = panel(svg, [60, 196, width - 70, 90], x, {range: [-6, 6], title: "residual / \u03c3", ticks: 3});
    const cut = residual.map(v => Math.max(-6, Math.min(6, v)));
    line(low, cut, from, end, "#c8530a", .8);
    svg.append(draw("path", {d: `M60 ${low.Y(0)}h${width - 70}`, stroke: "#555", "stroke-dasharray": "3 3"}));
    return figure(svg, "Grey: observed; blue: the simulator's spectrum at the posterior medians; orange: " +
                  "residuals in standard deviations, drawn up to 6. Bad pixels are left out.", true);
  });
}
function gradient_part(gradients) {
  const figures = el("div", {class: "figures"}), words = el("div");
  function show(k) {
    const g = gradients[k], b = bytes(g.data), y = Float64Array.from(b, v => (v - 128) / 127 * g.most);
    const per = g.unit ? " " + g.unit : "";
    figures.replaceChildren(...segments().map(([from, end]) => {
      const width = room(), svg = picture(width, 200, `Gradient of the posterior mean of ${g.name} by pixel`);
      const most = g.most > 0 ? 1.05 * g.most : 1;
      const p = panel(svg, [80, 8, width - 90, 145], axis(from, end),
                      {range: [-most, most], title: `d ${g.name} / d flux`, ticks: 5, room: 64});
      line(p, y, from, end, "#00538a", 1);
      return figure(svg, "", true);
    }));
    words.replaceChildren(table(`Where ${g.name} comes from: pixels that its posterior mean hangs on most`,
      [data.wavelength ? "wavelength [\u00c5]" : "pixel", `change of ${g.name} for 1 % of flux`],
      g.peaks.map(([i, v]) => [number(place(i), 8), number(.01 * v, 3) + per])));
  }
  const choose = el("select", {id: "gradient", onchange: e => show(Number(e.target.value))},
                    ...gradients.map((g, k) => el("option", {value: k}, g.name)));
  show(0);
  return el("section", {}, el("h3", {}, "Which pixels a label hangs on"),
            el("div", {class: "controls"}, el("label", {for: "gradient"}, "Label"), choose), words, figures);
}
function corner(draws) {
  const all = draws.labels.slice(0, 12), n = all.length, size = 120, left = 70, under = 60;
  const svg = picture(left + n * size + 8, n * size + under, `Posterior draws of ${n} labels, a panel per pair`);
  const value = (l, k) => l.lo + l.draw[k] / 1000 * (l.hi - l.lo);
  const list = all.map(l => l.draw.map((d, k) => value(l, k)));
  all.forEach((row, i) => all.slice(0, i + 1).forEach((col, j) => {
    const box = [left + j * size, 8 + i * size, size - 8, size - 8];
    const x = {range: [col.lo, col.hi], ticks: 3, bare: i < n - 1, title: i === n - 1 ? named(col.name, col.unit) : null};
    if (i === j) {
      const p = panel(svg, box, x, {range: [0, 1.1 * Math.max(...col.count)], bare: true, ticks: 1});
      bars(p, col.count, col.lo, col.hi);
    } else {
      const p = panel(svg, box, x, {range: [row.lo, row.hi], ticks: 3, bare: j > 0, room: 52,
                                    title: j === 0 ? named(row.name, row.unit) : null});
      dots(p, list[j], list[i], 2, "#00538a", .35);
    }
  }));
  svg.setAttribute("style", `min-width: ${svg.viewBox.baseVal.width * .7}px; max-width: 60rem`);
  const whole = el("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": "corner plot"}, svg);
  return figure(whole, `${draws.n} posterior draws; of each pair of labels the first ${all[0].draw.length}` +
                (draws.labels.length > n ? `; the first ${n} of ${draws.labels.length} labels` : ""), true);
}
function label_table(r) {
  const calibrated = labels.some(l => is_real(l + "_p16_cal") && is_real(l + "_p84_cal"));
  const span = (l, a, b) => !column[l + a] || column[l + a].values[r] === null ? ""
    : measured(column[l + a].values[r], column[l + "_sd"].values[r]) + " to " +
      measured(column[l + b].values[r], column[l + "_sd"].values[r]);
  return table("Labels of this star", ["label", "median", "standard deviation", "68 % interval"]
      .concat(calibrated ? ["68 % interval, recalibrated"] : []),
    labels.map(l => [named(l, column[l].unit), measured(column[l].values[r], column[l + "_sd"].values[r]),
                     number(column[l + "_sd"].values[r], 2), span(l, "_p16", "_p84")]
                    .concat(calibrated ? [span(l, "_p16_cal", "_p84_cal")] : [])));
}
function rest_of(r) {
  const shown = new Set(labels.flatMap(l => [l, "_mean", "_sd", "_p16", "_p84", "_p16_cal", "_p84_cal"]
                                             .map(s => s === l ? l : l + s)));
  const list = data.columns.filter(c => !shown.has(c.name) && c.values[r] !== null && c.values[r] !== "");
  return facts(list.map(c => [c.name, (c.text ? c.values[r] : number(c.values[r], 7)) +
                              (c.unit ? " " + c.unit : "") + (c.help ? " (" + c.help + ")" : "")]));
}
function star(r) {
  const heading = el("h2", {tabindex: -1, id: "star-name"}, name_of(r)), at = state.order.indexOf(r);
  const step = (k, name) => el("button", {type: "button", onclick: () => { location.hash = "star=" + state.order[at + k]; },
                                          disabled: at < 0 || state.order[at + k] === undefined ? "" : null}, name);
  const flags = (data.flags || []).filter((f, b) => has_flag(r, b));
  const block = document.getElementById("star-" + r), more = block ? JSON.parse(block.textContent) : {};
  const part = el("section", {id: "star"},
    el("div", {class: "controls"}, el("button", {type: "button", id: "back", onclick: () => { location.hash = ""; }},
       "Back to all stars"), step(-1, "Previous star"), step(1, "Next star")),
    heading,
    flags.length ? table("Flags of this star", ["flag", "meaning"], flags) : el("p", {}, "No flags."));
  if (labels.length && !failed(r)) part.append(el("h3", {}, "Labels"), label_table(r));
  if (more.fit) part.append(el("h3", {}, "Fit and residuals"), el("div", {class: "figures"}, ...fit_figures(more.fit)));
  if (more.draws) part.append(el("h3", {}, "Posterior"), el("div", {class: "figures"}, corner(more.draws)));
  if (more.gradients) part.append(gradient_part(more.gradients));
  if (!block && data.details)
    part.append(el("p", {class: "dim"}, `Draws, fits and gradients are in this page for the first ${data.details} stars ` +
                                        "of the catalogue (anpe report --details)."));
  part.append(el("h3", {}, "Everything else in the catalogue"), rest_of(r));
  return {part, heading};
}
function follow_hash() {
  const m = /^#star=(\d+)$/.exec(location.hash), old = document.getElementById("star");
  const r = m && Number(m[1]) < rows ? Number(m[1]) : -1;
  const last = parts.last;
  if (old) old.remove();
  parts.overview.hidden = r >= 0;
  if (r >= 0) {
    const s = star(r);
    main.append(s.part);
    window.scrollTo(0, 0);
    s.heading.focus({preventScroll: true});
    parts.last = r;
  } else if (old && last !== undefined) {
    const b = parts.body.querySelector(`button[data-row="${last}"]`);
    if (b) b.focus();
  }
}
function show_catalogue() {
  let bad = 0;
  for (let r = 0; r < rows; r++) bad += failed(r);
  document.getElementById("summary").textContent =
    `${rows} stars` + (column.flags ? `, ${bad} without a posterior` : "");
  overview();
  window.addEventListener("hashchange", follow_hash);
  if (location.hash) follow_hash();
}

document.title = data.title + " \u2013 anpe report";
document.getElementById("title").textContent = data.title;
if (data.kind === "model") show_model();
else show_catalogue();
document.documentElement.dataset.ready = Math.round(performance.now());
})();
