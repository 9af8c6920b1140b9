// A plot of lines as SVG text: axes, ticks, a legend, nothing more.

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Axis {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly logarithmic?: boolean;
}

export interface LinePlot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

const [width, height] = [860, 460];
const area = { left: 64, top: 40, right: 620, bottom: 400 };
/** Told apart also by people who see few colours; then again, dashed. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#888888'];

export function drawn({ title, x, y, lines }: LinePlot): string {
  const across = scale(x, area.left, area.right);
  const up = scale(y, area.bottom, area.top);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${area.left}" y="22" font-size="15">${escaped(title)}</text>`,
    ...ticksOf(x).map((tick) => {
      const at = across(tick).toFixed(1);
      return `<path d="M${at} ${area.top}V${area.bottom}" stroke="#ddd"/><text x="${at}" y="${area.bottom + 18}" text-anchor="middle">${shown(tick)}</text>`;
    }),
    ...ticksOf(y).map((tick) => {
      const at = up(tick).toFixed(1);
      return `<path d="M${area.left} ${at}H${area.right}" stroke="#ddd"/><text x="${area.left - 8}" y="${Number(at) + 4}" text-anchor="end">${shown(tick)}</text>`;
    }),
    `<text x="${(area.left + area.right) / 2}" y="${height - 20}" text-anchor="middle">${escaped(x.label)}</text>`,
    `<text x="16" y="${(area.top + area.bottom) / 2}" text-anchor="middle" transform="rotate(-90 16 ${(area.top + area.bottom) / 2})">${escaped(y.label)}</text>`,
    ...lines.map(({ name, points }, index) => {
      const path = points
        .filter(([px, py]) => inside(x, px) && inside(y, py))
        .map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${across(px).toFixed(1)} ${up(py).toFixed(1)}`)
        .join('');
      const pen = penOf(index);
      const legendY = area.top + 14 + index * 18;
      return [
        `<path d="${path}" fill="none" ${pen}/>`,
        `<path d="M${area.right + 12} ${legendY - 4}h26" ${pen}/>`,
        `<text x="${area.right + 44}" y="${legendY}">${escaped(name)}</text>`,
      ].join('');
    }),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function penOf(index: number): string {
  const dashed = index >= colours.length ? ' stroke-dasharray="6 3"' : '';
  return `stroke="${colours[index % colours.length] ?? '#000'}" stroke-width="${index === 0 ? 3 : 1.5}"${dashed}`;
}

function scale({ from, to, logarithmic }: Axis, start: number, end: number): (value: number) => number {
  const on = logarithmic === true ? Math.log10 : (value: number) => value;
  return (value) => start + ((on(value) - on(from)) / (on(to) - on(from))) * (end - start);
}

function inside({ from, to }: Axis, value: number): boolean {
  return value >= from && value <= to;
}

function ticksOf({ from, to, logarithmic }: Axis): readonly number[] {
  if (logarithmic === true) {
    const first = Math.ceil(Math.log10(from) - 1e-9);
    const count = Math.floor(Math.log10(to) + 1e-9) - first + 1;
    return Array.from({ length: count }, (_, index) => 10 ** (first + index));
  }
  const rough = (to - from) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough) ?? rough;
  const first = Math.ceil(from / step - 1e-9);
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, index) => (first + index) * step);
}

function shown(tick: number): string {
  return String(Number(tick.toPrecision(3)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
