// The last resort: ends the servers of this process when it ends before its hooks ran, be it by SIGKILL. A shell holds
// their process ids and sees the end of its input when this process is gone, whatever the reason.
import { type ChildProcess, spawn } from 'node:child_process';

const script = `
trap '' INT TERM HUP
left=' '
while read -r what pid; do
  case $what in
    started) left="$left$pid " ;;
    ended) left="\${left%% $pid *} \${left#* $pid }" ;;
  esac
done
if [ "$left" != ' ' ]; then kill -9 $left; fi
`;

let shell: ChildProcess | undefined;

export function guard(server: ChildProcess): void {
  const { pid } = server;
  if (pid === undefined) return;
  shell ??= startShell();
  const input = shell.stdin;
  input?.write(`started ${pid}\n`);
  server.once('exit', () => input?.write(`ended ${pid}\n`));
}

/** Keeps nothing alive: neither itself nor the pipe to it. */
function startShell(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  const { stdin } = child;
  stdin.on('error', () => {});
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return child;
}
