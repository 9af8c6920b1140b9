// Why a server could not listen, in one line, and the exit code for it.

const portInUse = 3;
const failed = 1;

/** `address` is what was asked for; `setting` is where to ask for another one. */
export function reportListenFailure(cause: unknown, address: string, setting: string): void {
  const inUse = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = inUse ? `${address} is in use by another process; set ${setting} to another address.` : reason;
  process.stderr.write(`switchyard: ${message}\n`);
  process.exitCode = inUse ? portInUse : failed;
}
