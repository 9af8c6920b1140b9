// The frame that all boards share: variables, links to the others, reloads as annotations, and a text that says what to do.
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as TextBuilder, TextMode } from '@grafana/grafana-foundation-sdk/text';
import { datasource, listOf, on } from './queries.ts';

export interface Board {
  /** Fixed, for links: part of the board's address. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Markdown. */
  readonly whatToDo: string;
  readonly panels: readonly PanelOfBoard[];
}

export type PanelOfBoard = Builder<Panel> & { id(id: number): unknown };

const tag = 'switchyard';
const textHeight = 6;

export function build({ uid, title, description, whatToDo, panels }: Board): Dashboard {
  const board = new DashboardBuilder(`Switchyard · ${title}`)
    .uid(uid)
    .description(description)
    .tags([tag])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-3h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(listOf('instance'))
    .withVariable(listOf('model'))
    .withVariable(listOf('backend'))
    .annotation(reloads())
    .link(otherBoards());
  const text = new TextBuilder().title('What to do').mode(TextMode.Markdown).content(whatToDo);
  // The layout goes from left to right; the text takes a row of its own at the end.
  for (const [index, panel] of [...panels, text.span(24).height(textHeight)].entries()) {
    panel.id(index + 1);
    board.withPanel(panel);
  }
  return inSight(board.build());
}

/** The builders hide links and annotations in a menu, which only Grafana from 12.2 has: they belong above the panels. */
function inSight(board: Dashboard): Dashboard {
  const { links = [], annotations } = board;
  return {
    ...board,
    links: links.map(({ placement: _hidden, ...link }) => link),
    annotations: { list: (annotations?.list ?? []).map(({ placement: _hidden, ...annotation }) => annotation) },
  };
}

function reloads(): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name('Configuration reloads')
    .datasource(datasource)
    .enable(true)
    .iconColor('blue')
    .expr(`changes(switchyard_config_last_reload_success_timestamp_seconds{${on}}[$__rate_interval]) > 0`)
    .step('15s')
    .titleFormat('New configuration')
    .textFormat('{{instance}}');
}

/** With the time and what is chosen here. */
function otherBoards(): DashboardLinkBuilder {
  return new DashboardLinkBuilder('Switchyard')
    .type(DashboardLinkType.Dashboards)
    .tags([tag])
    .includeVars(true)
    .keepTime(true);
}
