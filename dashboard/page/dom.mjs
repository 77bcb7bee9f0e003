// Whatever comes from the system is text here, and never HTML.

const svgNamespace = 'http://www.w3.org/2000/svg';

/** An element with attributes; children are nodes, or text. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same of a picture. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(svgNamespace, name), attributes, children);
}

function filled(node, attributes, children) {
  setAttributes(node, attributes);
  node.append(...children);
  return node;
}

/** False and undefined take an attribute away, true gives it without a value. */
export function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) node.removeAttribute(name);
    else {
      const text = value === true ? '' : String(value);
      if (node.getAttribute(name) !== text) node.setAttribute(name, text);
    }
  }
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function byId(id) {
  return document.getElementById(id);
}

/**
 * Has one child for each item, in their order, and keeps those that it has: focus and selection stay. `make` gives the node of an item, and
 * `update` tells it what is new.
 */
export class Keyed {
  constructor(parent, { key, make, update }) {
    this.parent = parent;
    this.key = key;
    this.make = make;
    this.update = update;
    this.nodes = new Map();
  }

  show(items) {
    const left = new Set(this.nodes.keys());
    let before = null;
    for (const item of items) {
      const key = this.key(item);
      left.delete(key);
      let node = this.nodes.get(key);
      if (node === undefined) {
        node = this.make(item);
        this.nodes.set(key, node);
      }
      const place = before === null ? this.parent.firstChild : before.nextSibling;
      if (place !== node) this.parent.insertBefore(node, place);
      before = node;
      this.update(node, item);
    }
    for (const key of left) {
      this.nodes.get(key).remove();
      this.nodes.delete(key);
    }
  }
}

/** What tells states apart without their colour. */
const marks = {
  ready: 'M6 1a5 5 0 1 0 0 10a5 5 0 0 0 0-10z',
  slow: 'M6 1a5 5 0 1 0 0 10a5 5 0 0 0 0-10zm0 1.7v6.6a3.3 3.3 0 0 0 0-6.6z',
  starting: 'M6 1a5 5 0 1 0 0 10a5 5 0 0 0 0-10zm0 1.9a3.1 3.1 0 1 1 0 6.2a3.1 3.1 0 0 1 0-6.2z',
  ending: 'M6 .6 11.4 6 6 11.4 .6 6z',
  failed: 'M6 .8 11.7 11H.3z',
  gone: 'M2.7 1 6 4.3 9.3 1 11 2.7 7.7 6 11 9.3 9.3 11 6 7.7 2.7 11 1 9.3 4.3 6 1 2.7z',
};

export const healths = Object.keys(marks);

export function markPath(health) {
  return marks[health] ?? marks.gone;
}

export function mark(health) {
  return shape(
    'svg',
    { class: `mark is-${health}`, viewBox: '0 0 12 12', width: 12, height: 12, 'aria-hidden': 'true' },
    shape('path', { d: markPath(health), 'fill-rule': 'evenodd' }),
  );
}
