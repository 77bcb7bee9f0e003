import { JsonPatch } from 'cdk8s';
import type { IpFamily } from '../nginx/proxy';

/** The IP families of a Service, which cdk8s-plus-27 cannot set. */
export function ipFamilies(families: readonly IpFamily[] | undefined): JsonPatch[] {
  if (families === undefined) return [];
  return [
    JsonPatch.add('/spec/ipFamilies', families),
    JsonPatch.add('/spec/ipFamilyPolicy', families.length > 1 ? 'RequireDualStack' : 'SingleStack'),
  ];
}
