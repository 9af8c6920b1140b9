// What an entry that finds its backends must and must not say.
import type { Report } from './diagnostics.ts';
import { child, textAt, type Tree } from './tree.ts';

export function checkDiscover(backend: Tree, report: Report): void {
  const discover = child(backend, 'discover');
  if (!discover) return;
  const [url, simulate] = [child(backend, 'url'), child(backend, 'simulate')];
  if (url) report.error(url.place, 'url beside discover', 'a box is listed or found: make two entries');
  if (simulate) report.error(simulate.place, 'simulate is only for engine: simulated');
  if (textAt(backend, 'engine') === 'simulated')
    report.error(discover.place, 'simulated backends cannot be found', 'name the engine that runs there');
  if (!child(backend, 'name'))
    report.error(backend.place, 'a name is required', 'the backends found are called NAME/ADDRESS:PORT');
  if (discover.kind !== 'map') return;
  const [dns, port, kubernetes] = [child(discover, 'dns'), child(discover, 'port'), child(discover, 'kubernetes')];
  if (dns && kubernetes) report.error(discover.place, 'dns and kubernetes exclude each other', 'make two entries');
  if (!dns && !kubernetes) report.error(discover.place, 'nowhere to look', 'give one of dns, kubernetes');
  const isSrv = textAt(dns)?.startsWith('_');
  if (port && (isSrv === true || !dns))
    report.error(port.place, 'a port that is told by what is found', 'remove it: only dns without SRV needs one');
  if (dns && isSrv === false && !port)
    report.error(dns.place, 'an address without a port', 'add port, or give a name that begins with _ for SRV');
}
