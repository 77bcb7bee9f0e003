/** Its own background: a page in GitHub's dark theme shows an image as it is. */
export const textStyle = `
  text { font: 11px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #57606a; }
  .background { fill: #ffffff; stroke: #d0d7de; }
  .grid { stroke: #eaeef2; }`;

/** A coordinate with one decimal at most. */
export function pixels(value: number): number {
  return Math.round(value * 10) / 10;
}

const secondSteps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600];
const mostTicks = 12;

/** Which seconds to write at an axis that goes from 0 to the last one. */
export function secondTicks(last: number): readonly number[] {
  const step = secondSteps.find((candidate) => last / candidate <= mostTicks) ?? Math.ceil(last / mostTicks);
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, index) => index * step);
}

/** Text in XML: escaped, and without what XML 1.0 has no way to write. @see https://www.w3.org/TR/xml/#charsets */
export function xmlText(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
