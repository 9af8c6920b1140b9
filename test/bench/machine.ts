// Which machine a measurement was made on, in a line.
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { cores } from './processes.ts';

export function describeMachine(): string {
  const all = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const apart =
    cores.proxy === undefined ? 'nothing set apart' : `proxy on core ${cores.proxy}, engine and load on ${cores.rest}`;
  return `${all.length} cores of ${all[0]?.model.trim() ?? 'unknown'}, ${memory}, Linux ${release()}, Node ${process.version}; ${versions()}; ${apart}`;
}

function versions(): string {
  return ['nginx -v', 'haproxy -v']
    .flatMap((command) => {
      const [name = '', ...args] = command.split(' ');
      try {
        const said = execFileSync(name, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
        const [version] = /\d+\.\d+\.\d+/.exec(said) ?? [];
        return version === undefined ? [] : `${name} ${version}`;
      } catch {
        return [];
      }
    })
    .join(', ');
}
