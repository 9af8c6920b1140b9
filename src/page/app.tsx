// The whole page, from what the feed knows.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type RouterClock, RouterTime } from './ago.tsx';
import { Dialog, OutcomeBar, useCommands } from './commands.tsx';
import { DecisionsSection } from './decisions-section.tsx';
import { FailuresSection } from './failures-section.tsx';
import { type Feed, type FeedParts, type Poller, startFeed } from './feed.ts';
import { FleetSection } from './fleet-section.tsx';
import { Header, Staleness } from './header.tsx';
import { ModelsSection } from './models-section.tsx';
import { liveRates } from './samples.ts';
import { Attention, Tiles } from './summary.tsx';
import { TenantsSection } from './tenants-section.tsx';
import { useTheme } from './theme.ts';
import { isInTrouble } from './tone.ts';
import { TrafficSection } from './traffic-section.tsx';
import { WaitingSection } from './waiting-section.tsx';

const noAnswerYet: Feed = { report: undefined, answeredAtMs: undefined, problem: undefined, samples: [], aheadMs: 0 };

export function App({ parts }: { readonly parts: Omit<FeedParts, 'changed'> }) {
  const [feed, setFeed] = useState(noAnswerYet);
  const poller = useRef<Poller | undefined>(undefined);
  const filterBox = useRef<HTMLInputElement>(null);
  const clock = useMemo<RouterClock>(() => ({ aheadMs: 0 }), []);
  const { theme, shown, next } = useTheme();
  const commands = useCommands(() => poller.current?.poll());

  useEffect(() => {
    const started = startFeed({
      ...parts,
      changed(now) {
        clock.aheadMs = now.aheadMs;
        document.title = titleOf(now);
        setFeed(now);
      },
    });
    poller.current = started;
    document.addEventListener('visibilitychange', () => started.setHidden(document.hidden));
    document.addEventListener('keydown', (event) => focusFilter(event, filterBox.current));
  }, []);

  const { report, samples } = feed;
  return (
    <RouterTime.Provider value={clock}>
      <a class="skip" href="#fleet">
        to the fleet
      </a>
      <Header feed={feed} theme={theme} nextTheme={next} reload={() => commands.command({ verb: 'reload' })} />
      <Staleness feed={feed} />
      <OutcomeBar outcome={commands.outcome} dismiss={commands.dismiss} />
      <main class={feed.problem === undefined ? '' : 'dim'}>
        {report === undefined ? (
          <p class="nothing">{feed.problem === undefined ? 'Asks the router …' : 'Nothing to show yet.'}</p>
        ) : (
          <>
            <Attention report={report} />
            <Tiles report={report} rates={liveRates(samples)} />
            <FleetSection backends={report.backends} filterBox={filterBox} command={commands.command} />
            <TrafficSection report={report} samples={samples} theme={shown} />
            <ModelsSection models={report.models} />
            <WaitingSection models={report.models} />
            <FailuresSection failures={report.failures} />
            <DecisionsSection decisions={report.decisions} />
            <TenantsSection tenants={report.tenants} />
          </>
        )}
      </main>
      <Dialog asked={commands.asked} actions={commands.dialog} />
    </RouterTime.Provider>
  );
}

function titleOf({ report, problem }: Feed): string {
  if (problem !== undefined) return 'no answer · Switchyard';
  const troubled = report?.backends.filter(isInTrouble).length ?? 0;
  return troubled === 0 ? 'Switchyard' : `${troubled} in trouble · Switchyard`;
}

function focusFilter(event: KeyboardEvent, box: HTMLInputElement | null): void {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || box === null) return;
  const { activeElement } = document;
  if (activeElement instanceof HTMLInputElement && activeElement.type !== 'checkbox') return;
  event.preventDefault();
  box.focus();
}
