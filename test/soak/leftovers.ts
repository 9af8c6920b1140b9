// Processes that must not outlive this one, however it ends.

const kills = new Set<() => void>();

process.on('exit', () => {
  for (const kill of kills) kill();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

/** Call what it returns once the process has ended. */
export function killAtExit(kill: () => void): () => void {
  kills.add(kill);
  return () => void kills.delete(kill);
}
