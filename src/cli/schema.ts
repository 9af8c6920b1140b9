// `switchyard schema`: the fleet file as a JSON Schema, for editors.
import { Command } from 'commander';
import { fleetJsonSchema } from '../config/json-schema.ts';
import { below } from './help-text.ts';
import { print } from './print.ts';

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema (draft 7) of the fleet file, for editors')
    .addHelpText('after', below({ examples: ['switchyard schema > fleet.schema.json'], exitCodes: { 0: 'printed' } }))
    .addHelpText(
      'after',
      '\nAs the first line of fleet.yaml, for editors with a YAML language server:\n  # yaml-language-server: $schema=./fleet.schema.json',
    )
    .action(() => {
      print(`${JSON.stringify(fleetJsonSchema(), undefined, 2)}\n`);
    });
}
