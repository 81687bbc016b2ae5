// The few ways in which the page changes its elements; what comes from outside is only ever written as text.

export const find = (id) => document.getElementById(id);

export const clone = (id) => find(id).content.firstElementChild.cloneNode(true);

export function write(node, text) {
  if (node.written !== text) node.textContent = node.written = text;
}

export function set(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function hide(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}
