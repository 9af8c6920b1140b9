// `${VAR}`, `${VAR:-default}` and `$${` (a literal `${`) inside one scalar. Expands once: what a variable holds is not read again.

export type Env = Readonly<Record<string, string | undefined>>;

export interface Interpolated {
  readonly text: string;
  /** Whether any part of the text came from the environment. Such text is never shown. */
  readonly fromEnv: boolean;
  readonly problems: readonly { readonly message: string; readonly hint: string }[];
}

/** `undefined` when there is nothing to expand. */
export function interpolate(raw: string, env: Env): Interpolated | undefined {
  if (!raw.includes('${')) return undefined;
  const problems: Interpolated['problems'][number][] = [];
  let fromEnv = false;
  const text = raw.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (whole: string, inner: string | undefined, close: string) => {
    if (inner === undefined) return '${';
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/.exec(inner);
    const [, name = '', fallback] = match ?? [];
    if (close === '' || name === '' || fallback?.includes('${')) {
      problems.push({ message: 'malformed ${…}', hint: 'write ${NAME} or ${NAME:-default}; $${ for a literal ${' });
      return whole;
    }
    const value = Object.hasOwn(env, name) ? (env[name] ?? '') : undefined;
    if (value !== undefined && value !== '') {
      fromEnv = true;
      return value;
    }
    if (fallback !== undefined) return fallback;
    const state = value === undefined ? 'not set' : 'empty';
    problems.push({
      message: `environment variable ${name} is ${state}`,
      hint: `set it, or write \${${name}:-default}`,
    });
    return '';
  });
  return { text, fromEnv, problems };
}
