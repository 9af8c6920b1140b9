// A chart of the last ten minutes, with its legend as text: the values at the pointer, or the newest.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { shownMs } from './samples.ts';

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

export interface ChartProps {
  readonly title: string;
  readonly unit: string;
  readonly atSeconds: readonly number[];
  /** Two at most: the second is dashed, so that it needs no colour. */
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** Drawn anew when it changes, because a canvas knows no style sheet. */
  readonly theme: string;
}

const heightPx = 150;

export function Chart({ title, unit, atSeconds, series, format, theme }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLDListElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [at, setAt] = useState<number | undefined>(undefined);
  const points: uPlot.AlignedData = [[...atSeconds], ...series.map(({ values }) => [...values])];

  useLayoutEffect(() => {
    const { current: target } = box;
    if (target === null || legend.current === null) return undefined;
    const drawn = new uPlot(optionsFor(target, legend.current, series, setAt), points, target);
    plot.current = drawn;
    const watch = new ResizeObserver(() => drawn.setSize({ width: target.clientWidth, height: heightPx }));
    watch.observe(target);
    return () => {
      watch.disconnect();
      drawn.destroy();
    };
  }, [theme]);
  useEffect(() => plot.current?.setData(points), [atSeconds, series]);

  const valueOf = ({ values }: Series) => (at === undefined ? undefined : values[at]) ?? values.at(-1) ?? 0;
  const text = series.map((one) => `${one.name} ${format(valueOf(one))}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        {title} <span class="faint">{unit}</span>
      </figcaption>
      <dl ref={legend}>
        {series.map((one, n) => (
          <div key={one.name} class={`series-${n}`}>
            <dt>{one.name}</dt>
            <dd>{format(valueOf(one))}</dd>
          </div>
        ))}
      </dl>
      <div ref={box} class="plot" role="img" aria-label={`${title} ${unit} over ten minutes; ${text}`} />
    </figure>
  );
}

function optionsFor(
  target: HTMLElement,
  legend: HTMLElement,
  series: readonly Series[],
  pointAt: (index: number | undefined) => void,
): uPlot.Options {
  const faint = colourOf(target);
  const axis = { stroke: faint, font: '11px system-ui, sans-serif', ticks: { show: false } };
  return {
    width: target.clientWidth,
    height: heightPx,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: true, range: (_, __, max) => [max - shownMs / 1_000, max] },
      y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 70, values: (_, splits) => splits.map(clockTime) },
      { ...axis, grid: { stroke: faint, width: 0.25 }, size: 44, space: 36 },
    ],
    series: [
      {},
      ...series.map((_, n) => ({
        stroke: colourOf(legend.children[n] ?? null),
        width: 1.75,
        ...(n === 0 ? {} : { dash: [5, 4] }),
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [({ cursor }) => pointAt(cursor.idx ?? undefined)] },
  };
}

function colourOf(element: Element | null): string {
  return element === null ? 'gray' : getComputedStyle(element).color;
}

function clockTime(seconds: number): string {
  const at = new Date(seconds * 1_000);
  return [at.getHours(), at.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
}
