import { createHash } from 'node:crypto';
import { ApiObject, JsonPatch } from 'cdk8s';
import { k8s } from 'cdk8s-plus-27';
import type { IConstruct } from 'constructs';
import { InvalidOption, InvalidOptions } from '../validation/invalid-option';

interface Operation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/**
 * Applies the patches that are added from now on to what is written. cdk8s-plus-27 serializes after cdk8s has applied patches, and
 * leaves out what it has no field for: a number where it has an IntOrString, and whatever is newer than Kubernetes 1.27.
 */
export function patchWhatIsWritten(scope: IConstruct): void {
  for (const object of scope.node.findAll()) {
    if (!ApiObject.isApiObject(object)) continue;
    const patches: JsonPatch[] = [];
    const toJson = object.toJson.bind(object) as () => unknown;
    object.addJsonPatch = (...more) => {
      patches.push(...more);
    };
    const construct = constructOf(object);
    const patched = (): unknown => {
      const refused: InvalidOption[] = [];
      const manifest = patches.reduce((written, patch) => {
        try {
          return applied(construct.node.path, written, patch);
        } catch (error) {
          if (!(error instanceof InvalidOption)) throw error;
          refused.push(error);
          return written;
        }
      }, toJson());
      if (refused.length > 0) throw new InvalidOptions(refused);
      return manifest;
    };
    object.toJson = patched;
    // Before anything is written: half of the manifests would be there else.
    construct.node.addValidation({ validate: () => (patches.length === 0 ? [] : errorsOf(patched)) });
  }
}

/** A line for each option that cannot work. */
export function errorsOf(make: () => unknown): string[] {
  try {
    make();
    return [];
  } catch (error) {
    if (error instanceof InvalidOption || error instanceof InvalidOptions) return error.message.split('\n');
    throw error;
  }
}

/** Puts into what is written what is known only when everything is made. */
export function whenWritten(construct: IConstruct, complete: (manifest: never) => void): void {
  const object = ApiObject.of(construct);
  const toJson = object.toJson.bind(object) as () => never;
  object.toJson = () => {
    const manifest = toJson();
    complete(manifest);
    return manifest;
  };
}

/** What an object with this content is called: with other content it is another one, beside which that of before stays. */
export function immutableName(name: string, content: object): string {
  return `${name}-${shortHash(JSON.stringify(content))}`;
}

export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}

/** As cdk8s names what is to be made: `shop/orders`. */
export function pathOf(scope: IConstruct, id: string): string {
  return [scope.node.path, id].filter((name) => name !== '').join('/');
}

/** The construct that a user knows: cdk8s-plus-27 has the object below it. */
function constructOf(object: ApiObject): IConstruct {
  return object.node.id === 'Resource' ? (object.node.scope ?? object) : object;
}

/** The document with the patch applied; refuses one that would change nothing, or what is not there (RFC 6902, 4). */
function applied(construct: string, document: unknown, patch: JsonPatch): unknown {
  const { operation } = patch as unknown as { readonly operation: Operation };
  const { op, path, from } = operation;
  const needed = op === 'move' || op === 'copy' ? from : op === 'add' ? path.replace(/\/[^/]*$/, '') : path;
  if (needed !== undefined && !isThere(document, needed)) {
    throw new InvalidOption(
      `${construct}, JSON patch`,
      path,
      `does not apply: ${JSON.stringify(needed)} is not in what is written: give a path that is, as kubectl apply would get it`,
    );
  }
  return JsonPatch.apply(document, 'value' in operation ? withPlainValue(construct, operation) : patch);
}

/** Whether a JSON Pointer leads to something. @see https://www.rfc-editor.org/rfc/rfc6901 */
function isThere(document: unknown, pointer: string): boolean {
  const keys = pointer.split('/').slice(1);
  const found = keys.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')]
        : undefined,
    document,
  );
  return found !== undefined;
}

function withPlainValue(construct: string, { op, path, value }: Operation): JsonPatch {
  const plain = plainValue(construct, path, value);
  if (op === 'test') return JsonPatch.test(path, plain);
  return op === 'replace' ? JsonPatch.replace(path, plain) : JsonPatch.add(path, plain);
}

/** What JSON has. Until it was applied to what is written, a patch had to have the classes of cdk8s-plus-27 in it. */
function plainValue(construct: string, path: string, value: unknown): unknown {
  if (value instanceof k8s.IntOrString || value instanceof k8s.Quantity) return value.value;
  if (Array.isArray(value)) return value.map((member) => plainValue(construct, path, member));
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainValue(construct, path, member)]));
  }
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
  const what = typeof value === 'object' ? value.constructor.name : typeof value;
  throw new InvalidOption(
    `${construct}, JSON patch`,
    path,
    `has ${what === 'undefined' ? 'no value' : `a value that JSON cannot carry (${what})`}: give text, a number, true, false, null, a list or an object of these`,
  );
}
