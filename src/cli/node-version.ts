// Whether this Node.js can run the rest, said in words before anything else is loaded. Imports nothing, for old ones read it too.

/** As `engines` in package.json. Undefined: it can. */
export function whyTooOld(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if ((major === 22 && minor >= 22) || major === 24 || major >= 26) return undefined;
  return `switchyard needs Node.js 24, 22.22 or later of 22, or 26 and later; this is ${version}.\n`;
}
