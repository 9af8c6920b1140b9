// The kinds of panels that the boards are made of. Width is in 24ths of the board.
import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  AxisPlacement,
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
  TooltipDisplayMode,
  SortOrder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMap,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { HeatmapColorMode, HeatmapColorOptionsBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as HeatmapBuilder, YAxisConfigBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { datasource } from './queries.ts';

/** The expression, and how its series are called. */
export type Query = readonly [expr: string, legend?: string];

export interface Look {
  readonly about: string;
  readonly unit: string;
  readonly width: number;
  readonly min?: number;
  readonly max?: number;
  /** Only where crossing them means something. */
  readonly thresholds?: readonly Threshold[];
}

const tall = 8;
const short = 4;

export const good = 'green';
export const bad = 'red';

/** One number that is read from afar, with its course behind it. */
export function stat(title: string, query: Query, look: Look): StatBuilder {
  const panel = new StatBuilder()
    .graphMode(BigValueGraphMode.Area)
    .colorMode(look.thresholds === undefined ? BigValueColorMode.None : BigValueColorMode.Background)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .noValue('none yet');
  return dressed(panel, title, [query], look).height(short);
}

export function lines(title: string, queries: readonly Query[], look: Look): TimeseriesBuilder {
  const panel = new TimeseriesBuilder()
    .fillOpacity(8)
    .showPoints(VisibilityMode.Never)
    .axisSoftMin(0)
    .legend(legendBelow())
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  return dressed(panel, title, queries, look).height(tall);
}

export function stacked(title: string, query: Query, look: Look, mode = StackingMode.Normal): TimeseriesBuilder {
  const stacking = new StackingConfigBuilder().mode(mode).group('A');
  return lines(title, [query], look).stacking(stacking).fillOpacity(40);
}

/** Queries from the second on are measured by a scale of their own, on the right. */
export function withRightScale(panel: TimeseriesBuilder, refId: string, unit: string): TimeseriesBuilder {
  return panel.overrideByQuery(refId, [
    { id: 'unit', value: unit },
    { id: 'custom.axisPlacement', value: AxisPlacement.Right },
  ]);
}

/** A row for each series, coloured by its value over time. */
export function timeline(title: string, queries: readonly Query[], look: Look): TimelineBuilder {
  const panel = new TimelineBuilder()
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .fillOpacity(70)
    .legend(legendBelow())
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds));
  return dressed(panel, title, queries, look).height(tall);
}

export function bars(title: string, query: Query, look: Look): BarGaugeBuilder {
  const panel = new BarGaugeBuilder()
    .orientation(VizOrientation.Horizontal)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName));
  const [expr, legend = ''] = query;
  return frame(panel, title, look)
    .withTarget(target(expr, legend, 'A').instant())
    .height(tall);
}

export function heat(title: string, expr: string, look: Look): HeatmapBuilder {
  const panel = new HeatmapBuilder()
    .calculate(false)
    .yAxis(new YAxisConfigBuilder().unit(look.unit))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .showLegend();
  return frame(panel, title, look)
    .withTarget(target(expr, '{{le}}', 'A').range().format(PromQueryFormat.Heatmap))
    .height(tall);
}

export function target(expr: string, legend: string, refId: string): DataqueryBuilder {
  return new DataqueryBuilder().datasource(datasource).expr(expr).legendFormat(legend).refId(refId);
}

export function refIdAt(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

/** Words and colours in place of numbers. */
export function words(of: Readonly<Record<string, readonly [text: string, color: string]>>): readonly ValueMap[] {
  const options = Object.fromEntries(
    Object.entries(of).map(([value, [text, color]], index) => [value, { text, color, index }]),
  );
  return [{ type: MappingType.ValueToText, options }];
}

interface Framed {
  title(title: string): this;
  description(description: string): this;
  datasource(source: typeof datasource): this;
  span(width: number): this;
  height(height: number): this;
  unit(unit: string): this;
  min(min: number): this;
  max(max: number): this;
  thresholds(thresholds: ThresholdsConfigBuilder): this;
  withTarget(target: DataqueryBuilder): this;
  overrideByName(name: string, properties: DynamicConfigValue[]): this;
}

export function frame<P extends Framed>(panel: P, title: string, look: Look): P {
  panel.title(title).description(look.about).datasource(datasource).span(look.width).unit(look.unit);
  if (look.min !== undefined) panel.min(look.min);
  if (look.max !== undefined) panel.max(look.max);
  if (look.thresholds !== undefined) {
    const steps = new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...look.thresholds]);
    panel.thresholds(steps);
  }
  return panel;
}

function dressed<P extends Framed>(panel: P, title: string, queries: readonly Query[], look: Look): P {
  frame(panel, title, look);
  for (const [index, [expr, legend = '']] of queries.entries())
    panel.withTarget(target(expr, legend, refIdAt(index)).range());
  return panel;
}

function legendBelow(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true);
}
