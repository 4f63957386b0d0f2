// Elements. Texts only ever become text nodes: nothing that a model wrote is parsed as markup.

/** Make an element; a property that is a function listens, null leaves it out, the rest are attributes. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null));
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

const MISSING = "–";
const MINUS = "−";

/** A number to one decimal; what cannot be had is a dash. */
function shown(value) {
  return value === null ? MISSING : value.toFixed(1);
}

function counted(value) {
  return value === null ? MISSING : value.toLocaleString("en");
}

function percent(share) {
  return share === null ? MISSING : `${(100 * share).toFixed(0)} %`;
}

function signed(value) {
  if (value === null) return MISSING;
  const size = Math.abs(value).toFixed(1);
  return Number(size) === 0 ? "0.0" : (value > 0 ? "+" : MINUS) + size;
}

/** A number over a bar whose length says how much of the whole it is. */
function bar(text, share, kind = "") {
  const made = element("span", { class: `bar ${kind}` }, text);
  made.style.setProperty("--share", Math.max(0, Math.min(1, share ?? 0)));
  return made;
}

/** A list of names and values; what is null is left out. */
function facts(pairs) {
  return element(
    "dl",
    { class: "facts" },
    pairs.filter(([, value]) => value !== null).map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value))),
  );
}

/** A text that scrolls on its own, also by keyboard. */
function textRegion(label, properties, ...children) {
  const all = { class: "text", dir: "auto", tabindex: 0, role: "region", "aria-label": label, ...properties };
  return element("div", all, ...children);
}

/** An attribute `lang` that browsers take; null where the language is none of theirs. */
function languageTag(language) {
  return /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(language) ? language : null;
}
