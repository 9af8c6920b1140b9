// That a `burst` belongs to a limit per minute, and to one kind of them.
import type { Report } from './diagnostics.ts';
import { child, entriesAt, itemsAt, type Tree } from './tree.ts';

const tokenLimits = ['tokens_per_minute', 'input_tokens_per_minute', 'output_tokens_per_minute'];

export function checkLimits(root: Tree, report: Report): void {
  const tenants = entriesAt(root, 'auth', 'tenants').map(([, { node }]) => node);
  const models = entriesAt(root, 'models').map(([, { node }]) => node);
  const owners = [...itemsAt(root, 'auth', 'keys'), ...tenants, ...models];
  const ofModels = tenants.flatMap((tenant) => entriesAt(tenant, 'model_limits').map(([, { node }]) => node));
  for (const limits of [...owners.map((owner) => child(owner, 'limits')), ...ofModels]) checkBurst(limits, report);
}

function checkBurst(limits: Tree | undefined, report: Report): void {
  const burst = child(limits, 'burst');
  const hasRequests = child(limits, 'requests_per_minute') !== undefined;
  const hasTokens = tokenLimits.some((name) => child(limits, name) !== undefined);
  if (burst?.kind === 'scalar') {
    if (hasRequests && hasTokens)
      report.error(burst.place, 'one burst for both requests and tokens', 'write burst: { requests: N, tokens: N }');
    if (!hasRequests && !hasTokens)
      report.error(
        burst.place,
        'a burst without a limit per minute',
        'give requests_per_minute or tokens_per_minute beside it',
      );
  }
  const [requests, tokens] = [child(burst, 'requests'), child(burst, 'tokens')];
  if (requests && !hasRequests)
    report.error(requests.place, 'a burst of requests without requests_per_minute', 'give both, or neither');
  if (tokens && !hasTokens)
    report.error(
      tokens.place,
      'a burst of tokens without tokens per minute',
      `give one of ${tokenLimits.join(', ')} beside it`,
    );
}
