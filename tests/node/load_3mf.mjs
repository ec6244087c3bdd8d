// SPDX-License-Identifier: GPL-3.0-or-later
// Loads a 3MF with three.js's loader, as a browser would, and prints what it found as JSON: each object's name, box,
// count of triangles and of those in each colour.   node load_3mf.mjs FILE
import fs from 'node:fs';
import { DOMParser } from '@xmldom/xmldom';
import { Box3, Color, SRGBColorSpace } from 'three';
import { ThreeMFLoader } from 'three/examples/jsm/loaders/3MFLoader.js';

// The loader asks by selectors, which this DOM has not: words with blanks between, each the local name of an element
// whatever its namespace, the last one below all others.
function select(node, selector) {
  const words = selector.split(' ');
  return Array.from(node.getElementsByTagNameNS('*', words.pop())).filter((element) => {
    let left = words.length;
    for (let at = element.parentNode; left > 0 && at && at !== node; at = at.parentNode)
      if (at.localName === words[left - 1]) left--;
    return left === 0;
  });
}
const document = new DOMParser().parseFromString('<a/>', 'application/xml');
for (const kind of [document, document.documentElement].map(Object.getPrototypeOf)) {
  kind.querySelectorAll = function (selector) { return select(this, selector); };
  kind.querySelector = function (selector) { return select(this, selector)[0] ?? null; };
}
globalThis.DOMParser = DOMParser;

function count(colours, mesh) {
  const { index, attributes } = mesh.geometry;
  const triangles = (index ?? attributes.position).count / 3;
  for (let t = 0; t < triangles; t++) {
    const colour = attributes.color
      ? new Color().fromArray(attributes.color.array, 9 * t).getHexString(SRGBColorSpace)
      : mesh.material.color.getHexString(SRGBColorSpace);
    colours[colour] = (colours[colour] ?? 0) + 1;
  }
  return triangles;
}

const file = fs.readFileSync(process.argv[2]);
const group = new ThreeMFLoader().parse(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
group.updateMatrixWorld(true);
console.log(JSON.stringify(group.children.map((object) => {
  const colours = {};
  let triangles = 0;
  object.traverse((mesh) => { if (mesh.isMesh) triangles += count(colours, mesh); });
  const box = new Box3().setFromObject(object, true);
  return { name: object.name, triangles, colours, min: box.min.toArray(), max: box.max.toArray() };
})));
