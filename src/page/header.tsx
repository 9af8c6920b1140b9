// The bar at the top: which router, whether it answers, the way to each part, and what goes for all of it.
import { useEffect, useState } from 'preact/hooks';
import type { FleetReport } from '../fleet/report.ts';
import { Ago, onTick } from './ago.tsx';
import type { Feed } from './feed.ts';
import { formatAge, formatAt } from './format.ts';
import { Word } from './marks.tsx';
import type { Theme } from './theme.ts';

export interface HeaderProps {
  readonly feed: Feed;
  readonly theme: Theme;
  readonly nextTheme: () => void;
  readonly reload: () => void;
}

const parts = ['fleet', 'traffic', 'models', 'waiting', 'failures', 'decisions', 'tenants'] as const;

export function Header({ feed, theme, nextTheme, reload }: HeaderProps) {
  return (
    <header>
      <div class="top">
        <h1>Switchyard</h1>
        {feed.report !== undefined && <Facts report={feed.report} />}
        <div class="buttons">
          <button type="button" onClick={reload} disabled={feed.report === undefined}>
            reload
          </button>
          <button type="button" onClick={nextTheme} aria-label={`theme: ${theme}`}>
            theme: {theme}
          </button>
        </div>
      </div>
      <nav aria-label="parts of the page">
        {parts.map((part) => (
          <a key={part} href={`#${part}`}>
            {part}
          </a>
        ))}
      </nav>
    </header>
  );
}

function Facts({ report }: { readonly report: FleetReport }) {
  const { switchyard, config, phase } = report;
  return (
    <p class="facts">
      <Word word={phase} />
      <span>
        <span class="faint">version</span> {switchyard.version}
      </span>
      <span title={`${config.source}, loaded ${formatAt(config.loaded_at)}`}>
        <span class="faint">config</span> <code>{config.hash}</code>
      </span>
      <span>
        <span class="faint">loaded</span> <Ago at={config.loaded_at} />
      </span>
      <span>
        <span class="faint">started</span> <Ago at={switchyard.started_at} />
      </span>
    </p>
  );
}

/** Says in one live region that the answers have ended or come again, and beside it, for the eye, for how long. */
export function Staleness({ feed }: { readonly feed: Feed }) {
  const { problem, answeredAtMs } = feed;
  const [, tick] = useState(0);
  const [wasStale, setWasStale] = useState(false);
  useEffect(() => {
    if (problem === undefined) return undefined;
    setWasStale(true);
    return onTick(() => tick((count) => count + 1));
  }, [problem]);
  const again = wasStale ? 'The router answers again.' : '';
  return (
    <>
      <p class="hidden" role="status">
        {problem === undefined ? again : `The router does not answer: ${problem}.`}
      </p>
      {problem !== undefined && (
        <p class="stale">
          {answeredAtMs === undefined
            ? `no answer yet: ${problem}`
            : `last answer ${formatAge(Math.floor((Date.now() - answeredAtMs) / 1_000))} ago: ${problem}`}
        </p>
      )}
    </>
  );
}
