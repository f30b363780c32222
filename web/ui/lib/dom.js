// Elements from calls. Text goes in as text only: nothing here, or anywhere in these pages, parses markup.

const SVG = "http://www.w3.org/2000/svg";
const SAFE_LINK = /^(#|\/(?!\/)|blob:)/;

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) {
    element.addEventListener(name.slice(2), value);
  } else if (name === "class") {
    if (value) element.setAttribute("class", Array.isArray(value) ? value.filter(Boolean).join(" ") : value);
  } else if (
    name === "value" ||
    name === "checked" ||
    name === "disabled" ||
    name === "selected" ||
    name === "indeterminate"
  ) {
    element[name] = value;
  } else if (name === "href" && !SAFE_LINK.test(value)) {
    throw new Error("not a link of ours: " + value);
  } else if (name === "style") {
    throw new Error("the policy of these pages has no style attributes");
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

function fill(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

function make(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) set(element, name, value);
  return fill(element, children);
}

// h("a.button", {href: "#/send"}, "Send"): an element with classes, attributes, listeners (onclick), children.
export function h(name, props, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  if (props && props.class && classes.length) props = { ...props, class: [...classes, props.class].flat() };
  return make(element, props, children);
}

// The same for pictures.
export function s(tag, props, ...children) {
  return make(document.createElementNS(SVG, tag), props, children);
}

export function put(element, ...children) {
  element.replaceChildren();
  return fill(element, children);
}

let count = 0;
export const freshId = (prefix = "e") => `${prefix}-${++count}`;

// Told to screen readers, seen by nobody.
export function announce(text) {
  const at = document.getElementById("announcer");
  at.textContent = "";
  requestAnimationFrame(() => {
    at.textContent = text;
  });
}

// Work that is asked for often and done once a while; the last request is never lost.
export function lazily(work, ms) {
  let timer = null;
  return (...args) => {
    timer ??= setTimeout(() => {
      timer = null;
      work(...args);
    }, ms);
  };
}

// Work that begins when nothing was asked for some time.
export function settled(work, ms) {
  let timer = null;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), ms);
  };
}

export function every(ms, work, signal) {
  const timer = setInterval(() => {
    if (!document.hidden) work();
  }, ms);
  signal.addEventListener("abort", () => clearInterval(timer));
}
