// Which machine a measurement was made on, in a line.
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { cores, descriptors } from './processes.ts';

export function describeMachine(): string {
  const all = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const apart =
    cores.proxy === undefined ? 'nothing set apart' : `proxy on core ${cores.proxy}, engine and load on ${cores.rest}`;
  const model = all[0]?.model.trim() ?? 'unknown';
  return `${all.length} cores of ${model}, ${memory}, Linux ${release()}, Node.js ${process.version}; ${versions()}; ${apart}; ${descriptors} descriptors.`;
}

/** What was going on here before anything was measured; undefined: next to nothing. */
export function othersAtWork(): string | undefined {
  const [lastMinute = 0] = loadavg();
  if (lastMinute < 0.5) return undefined;
  return `The load average was ${lastMinute.toFixed(1)} before the run: others were at work, and figures are worth less.`;
}

function versions(): string {
  return ['nginx -v', 'haproxy -v', 'wrk -v', 'redis-server -v']
    .flatMap((command) => {
      const [name = '', ...args] = command.split(' ');
      const { stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' });
      const [version] = /\d+\.\d+[.\d]*/.exec(`${stdout}${stderr}`) ?? [];
      return version === undefined ? [] : `${name} ${version}`;
    })
    .join(', ');
}
