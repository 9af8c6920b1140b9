// The fleet file that `init` writes: what was found, and, in comments, what comes next. Pure.
import { isLoopback } from '../config/addresses.ts';
import type { Found } from './scan.ts';

export interface Plan {
  readonly found: readonly Found[];
  readonly locked: readonly Found[];
  /** Where the router is to listen. */
  readonly listenPort: number;
  /** How the JSON Schema is reached from the file, and the token of the admin listener. */
  readonly schema: string;
  readonly tokenFile: string;
}

export function fleetFileText({ found, locked, listenPort, schema, tokenFile }: Plan): string {
  const boxes = found.length > 0 ? found.map(backendText) : [simulatedText];
  return `# yaml-language-server: $schema=${schema}
# The fleet of a Switchyard. It can be edited while the router runs; \`switchyard check\` finds mistakes, \`switchyard probe\`
# tells how the backends are.
version: 1

server:
  listen: 127.0.0.1:${listenPort} # the one URL that SDKs use: http://127.0.0.1:${listenPort}/v1; 0.0.0.0:${listenPort} for others to reach it

admin: # the status page, metrics, drain and reload: http://127.0.0.1:9091
  token_file: ${tokenFile} # whoever has it may drain and reload; the verbs of \`switchyard\` find it here

# Who may use it, once others can reach it:
# auth:
#   keys:
#     - tenant: my-team
#       key: \${MY_TEAM_KEY}

backends:
${boxes.join('\n')}
${locked.map(lockedText).join('')}
  # Another box. Engine and models are found out:
  # - name: gpu-a
  #   url: http://10.0.0.11:8000
  #   weight: 2 # capacity, relative to the others
  #   auth: { bearer: "\${GPU_A_TOKEN}" } # where it wants a token
`;
}

function backendText({ url, engine, models, ...at }: Found): string {
  const names = models.slice(0, 4).join(', ') + (models.length > 4 ? ` and ${models.length - 4} more` : '');
  // One that is simulated in the router itself has no URL; this one is found out to be one.
  const kind = engine === 'simulated' ? 'auto' : engine;
  return `  - name: ${nameOf(at)}
    engine: ${kind}${names === '' ? '' : ` # ${names}`}
    url: ${url}`;
}

const simulatedText = `  # No inference server was found, so this one plays one: it answers, and no model is run. Remove it once there is a real one.
  - name: simulated
    engine: simulated
    simulate: { models: [simulated-model] }`;

function lockedText({ url, ...at }: Found): string {
  const name = nameOf(at);
  const variable = `${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_TOKEN`;
  return `
  # This one wants a token before it says what it is:
  # - name: ${name}
  #   url: ${url}
  #   auth: { bearer: "\${${variable}}" }
`;
}

/** `local-11434`, `10.0.0.12-8000`. */
export function nameOf({ host, port }: { readonly host: string; readonly port: number }): string {
  const bare = host.replaceAll(/[[\]]/g, '').replaceAll(':', '-');
  if (isLoopback(bare)) return `local-${port}`;
  return `${/^[A-Za-z0-9]/.test(bare) ? bare : `host${bare}`}-${port}`;
}
