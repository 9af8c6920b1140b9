// `switchyard schema`: the fleet file as a JSON Schema, for editors.
import { Command } from 'commander';
import { fleetJsonSchema } from '../config/json-schema.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema (draft 7) of the fleet file, for editors')
    .addHelpText(
      'after',
      `
Examples:
  $ switchyard schema > fleet.schema.json
  and as the first line of fleet.yaml, for editors with a YAML language server:
  # yaml-language-server: $schema=./fleet.schema.json

Exit code: 0.
`,
    )
    .action(() => {
      process.stdout.write(`${JSON.stringify(fleetJsonSchema(), undefined, 2)}\n`);
    });
}
