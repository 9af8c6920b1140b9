// Which machine a measurement was made on, in a line.
import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { cores, descriptors } from './processes.ts';

export function describeMachine(): string {
  const all = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const apart =
    cores.proxy === undefined ? 'nothing set apart' : `proxy on core ${cores.proxy}, engine and load on ${cores.rest}`;
  const model = all[0]?.model.trim() ?? 'unknown';
  return `${all.length} cores of ${model}, ${memory}, Linux ${release()}, Node.js ${process.version}; ${versions()}; ${apart}; ${descriptors} descriptors.`;
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
