"use strict";
// Small helpers. Text goes into the page as text nodes and nothing else: no markup is ever made from data.

/** An element with properties (`class`, `on…`, `aria-…`, or a property of the element) and children (elements or text). */
function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name.includes("-") || !(name in made)) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Scroll a box to what is marked in it, a third of its height below its top; to its top if nothing is marked. */
function showMark(box) {
  const mark = box.querySelector("mark"), below = mark && mark.getBoundingClientRect().top - box.getBoundingClientRect().top;
  box.scrollTop = mark ? box.scrollTop + below - box.clientHeight / 3 : 0;
}

/** JSON that was gzipped and written in base64 into an element of the page. */
async function unpack(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** Hand a text to the reader as a file. */
function save(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Rows of flat objects as CSV. Text that a spreadsheet would run as a formula gets an apostrophe in front. */
function csv(rows) {
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value) => {
    let text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [heads.map(cell).join(","), ...rows.map((row) => heads.map((head) => cell(row[head])).join(","))].join("\r\n") + "\r\n";
}
