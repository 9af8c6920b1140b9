// Starts the page: polls GET /fleet of the router that served it, and draws what it says.
import { render } from 'preact';
import { App } from './app.tsx';
import { applyTheme } from './theme.ts';

const timeoutMs = 5_000;

applyTheme();
const root = document.getElementById('page');
if (root === null) throw new Error('the page has lost its root element');
render(
  <App
    parts={{
      ask: (etag) =>
        fetch('fleet', {
          headers: etag === undefined ? {} : { 'if-none-match': etag },
          // What the browser keeps of its own must not stand in for an answer.
          cache: 'no-store',
          signal: AbortSignal.timeout(timeoutMs),
        }),
      nowMs: () => Date.now(),
      after(ms, run) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    }}
  />,
  root,
);
